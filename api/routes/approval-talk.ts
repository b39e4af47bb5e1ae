import { type UpdateDefinition } from '@temporalio/common';
import { type FastifyRequest } from 'fastify';
import { z } from 'zod';
import {
  answerRequest,
  approvalSchema,
  fulfilmentRequest,
  questionRequest,
  recusalRequest,
  waiverRequest,
} from '../../contracts/api/approvals';
import { outsideId, uuid } from '../../contracts/api/common';
import { type ApprovalView } from '../../contracts/workflow-state';
import { type TextPurpose } from '../../db/free-text';
import { endedAlready, isRecused, type Approval } from '../../domain/approval/state';
import { approvalWorkflowId } from '../../domain/ids';
import { answerUpdate, askUpdate, endConditionUpdate, recuseUpdate } from '../../workflows/approval/messages';
import { approvalOf, shownTo } from '../approvals';
import { noRun, ofRun } from '../decisions';
import { type RouteDeps } from '../deps';
import { refused } from '../errors';
import { idFor } from '../idempotency';
import { type Api } from '../routing';
import { personOf } from '../second-person';
import { keepReason } from '../texts';
import { askRun } from '../updates';
import { showsFieldsOf } from './approvals';

const params = z.strictObject({ id: uuid });
const ofCondition = z.strictObject({ id: uuid, conditionId: outsideId });
const config = { showsFieldsOf };
const response = { 200: approvalSchema };

/** What is said to an approval besides votes: standing back, asking and answering, settling what a grant was given under. */
export function approvalTalkRoutes(app: Api, deps: RouteDeps): void {
  app.route({
    method: 'POST',
    url: '/v1/approvals/:id/recusal',
    config,
    schema: {
      tags: ['approvals'],
      summary: 'Stand back from an approval: you, and whoever decides for you, vote no more; with too few voters left it escalates',
      params,
      body: recusalRequest,
      response,
    },
    handler: async (request) => {
      const { by, at } = await speaker(deps, request);
      const said = { text: request.body.reason, purpose: 'recusal', id: idFor(request, 'recusal') } as const;
      return say(
        deps,
        request,
        said,
        (record) => isRecused(record, by),
        (reasonId) => ({ definition: recuseUpdate, input: { by, reasonId, at } }),
      );
    },
  });

  app.route({
    method: 'POST',
    url: '/v1/approvals/:id/questions',
    config,
    schema: {
      tags: ['approvals'],
      summary: 'Ask the requester something before you decide; the clocks of the tier stand still until it is answered',
      params,
      body: questionRequest,
      response,
    },
    handler: async (request) => {
      const { by, at } = await speaker(deps, request);
      const questionId = idFor(request, 'question');
      const { question, role = null } = request.body;
      const isSaid = ({ questions }: Approval): boolean => questions.some((each) => each.questionId === questionId);
      return say(deps, request, { text: question, purpose: 'question', id: questionId }, isSaid, (textId) => ({
        definition: askUpdate,
        input: { questionId, by, role, textId, at },
      }));
    },
  });

  app.route({
    method: 'POST',
    url: '/v1/approvals/:id/answers',
    config,
    schema: {
      tags: ['approvals'],
      summary: 'Answer a question about your request; where nothing else is owed, the clocks go on',
      params,
      body: answerRequest,
      response,
    },
    handler: async (request) => {
      const { by, at } = await speaker(deps, request);
      const answerId = idFor(request, 'answer');
      const { questionId, answer } = request.body;
      const { questions } = await approvalOf(deps, request, request.params.id);
      const isSaid = (): boolean => questions.some((each) => each.questionId === questionId && each.answer === answer);
      return say(deps, request, { text: answer, purpose: 'answer', id: answerId }, isSaid, (textId) => ({
        definition: answerUpdate,
        input: { answerId, questionId, by, textId, at },
      }));
    },
  });
  conditionRoutes(app, deps);
}

/** Settling what a grant was given under. */
function conditionRoutes(app: Api, deps: RouteDeps): void {
  app.route({
    method: 'POST',
    url: '/v1/approvals/:id/conditions/:conditionId/fulfilment',
    config,
    schema: {
      tags: ['approvals'],
      summary: 'Fulfil a condition as a holder of its role, with words of what shows it; with the last one the request is approved',
      params: ofCondition,
      body: fulfilmentRequest,
      response,
    },
    handler: (request) => endCondition(deps, request, 'fulfilled', request.params.conditionId, request.body.evidence),
  });

  app.route({
    method: 'POST',
    url: '/v1/approvals/:id/conditions/:conditionId/waiver',
    config,
    schema: {
      tags: ['approvals'],
      summary: 'Waive a condition that you set, with a reason; with the last one the request is approved',
      params: ofCondition,
      body: waiverRequest,
      response,
    },
    handler: (request) => endCondition(deps, request, 'waived', request.params.conditionId, request.body.reason),
  });
}

async function endCondition(deps: RouteDeps, request: FastifyRequest, as: 'fulfilled' | 'waived', conditionId: string, text: string) {
  const { by, at } = await speaker(deps, request);
  const endId = idFor(request, 'condition-end');
  const isSaid = ({ conditions }: Approval): boolean =>
    conditions.some((each) => each.conditionId === conditionId && each.settled?.as === as && each.settled.by === by);
  return say(deps, request, { text, purpose: as === 'fulfilled' ? 'fulfilment' : 'waiver', id: endId }, isSaid, (textId) => ({
    definition: endConditionUpdate,
    input: { endId, conditionId, as, by, textId, at },
  }));
}

async function speaker(deps: RouteDeps, request: FastifyRequest): Promise<{ readonly by: string; readonly at: string }> {
  return { by: personOf(request, 'an approval is a talk between people'), at: await deps.clock.now() };
}

/**
 * Keeps the words, tells the run, and answers with the approval as it stands after the commit. What is on record already (`isSaid`) is answered so
 * where no run is left to tell.
 */
async function say<Input>(
  deps: RouteDeps,
  request: FastifyRequest,
  { text, purpose, id }: { readonly text: string; readonly purpose: TextPurpose; readonly id: string },
  isSaid: (record: Approval) => boolean,
  messageOf: (textId: string) => { readonly definition: UpdateDefinition<ApprovalView, [Input]>; readonly input: Input },
) {
  const { id: approvalId } = request.params as { id: string };
  const { record } = await approvalOf(deps, request, approvalId);
  const ended = isSaid(record) ? null : endedAlready(record);
  if (ended !== null) throw refused(ended);
  const workflowId = approvalWorkflowId(approvalId);
  const textId = (await keepReason(deps, request, { reason: text, purpose, subject: workflowId, origin: id })) ?? '';
  const message = { ...messageOf(textId), workflowId, id };
  const ask = () => askRun<ApprovalView, Input, true | null>(deps, request, message, { done: () => true, noRun: () => null });
  await ofRun(deps, request, approvalId, ask, ({ record: found }) => {
    if (isSaid(found)) return true;
    throw noRun(found);
  });
  return shownTo(request, await approvalOf(deps, request, approvalId));
}
