import { setTimeout as delay } from 'node:timers/promises';
import { type FastifyRequest } from 'fastify';
import { z } from 'zod';
import {
  approvalListSchema,
  approvalQuery,
  approvalSchema,
  decisionReceiptSchema,
  decisionRequest,
  withdrawalRequest,
} from '../../contracts/api/approvals';
import { uuid } from '../../contracts/api/common';
import { type DecisionInput, type DecisionReceipt } from '../../contracts/workflow-state';
import { type ApprovalDetail, type ApprovalReader, listApprovals, readApproval } from '../../db/reads/approvals';
import { covers } from '../../domain/access';
import { answerTo, refusalWithoutFacts } from '../../domain/approval/decision';
import { endedAlready, isOpen } from '../../domain/approval/state';
import { differences } from '../../domain/difference';
import { approvalWorkflowId } from '../../domain/ids';
import { decideUpdate, withdrawSignal } from '../../workflows/approval/messages';
import { scopeInApprovals } from '../auth/principal';
import { type RouteDeps } from '../deps';
import { ApiError, refused } from '../errors';
import { withoutFields } from '../fields';
import { idFor } from '../idempotency';
import { pageAnswer, pageRequest } from '../paging';
import { tellAgain } from '../tell-again';
import { matchedTags, refuseOtherTag } from '../preconditions';
import { type Api } from '../routing';
import { keptConditions } from '../conditions';
import { keepReason } from '../texts';
import { askRun, orUnknown } from '../updates';

type Outcome = z.infer<typeof decisionReceiptSchema>['outcome'];

export const showsFieldsOf = (request: FastifyRequest): string => approvalWorkflowId((request.params as { id: string }).id);

/** What awaits a decision, what is shown, and the decision itself. */
export function approvalRoutes(app: Api, deps: RouteDeps): void {
  app.route({
    method: 'GET',
    url: '/v1/approvals',
    schema: {
      tags: ['approvals'],
      summary: 'Approvals, the last opened first',
      querystring: approvalQuery,
      response: { 200: approvalListSchema },
    },
    handler: async (request) => {
      const { state, dealId, subjectKind, mine } = request.query;
      const page = pageRequest(request.query, ['instant', 'uuid']);
      const filter = { state, dealId, subjectKind, mine: mine === 'true' };
      return pageAnswer(await listApprovals(deps.db, await readerOf(deps, request), filter, page));
    },
  });

  app.route({
    method: 'GET',
    url: '/v1/approvals/:id',
    config: { showsFieldsOf },
    schema: {
      tags: ['approvals'],
      summary: 'One approval: what is shown, who may decide, who has decided. The ETag is its shownHash',
      params: z.strictObject({ id: uuid }),
      response: { 200: approvalSchema },
    },
    handler: async (request, reply) => {
      const approval = await approvalOf(deps, request, request.params.id);
      void reply.header('etag', `"${approval.shownHash}"`);
      return shownTo(request, approval);
    },
  });

  app.route({
    method: 'POST',
    url: '/v1/approvals/:id/decisions',
    config: { ifMatch: 'optional', showsFieldsOf },
    schema: {
      tags: ['approvals'],
      summary: 'Decide on what was shown; answers after the decision is committed',
      params: z.strictObject({ id: uuid }),
      body: decisionRequest,
      response: { 200: decisionReceiptSchema },
    },
    handler: async (request) => {
      if (request.principal.kind !== 'user') throw new ApiError('PersonRequired', 'an integration does not decide');
      const { id } = request.params;
      const approval = await approvalOf(deps, request, id);
      refuseOtherTag(matchedTags(request), approval.shownHash);
      const { decisionId = idFor(request, 'decision'), verdict, reason, role = null, shownHash, conditions = [] } = request.body;
      const said = { decisionId, by: request.principal.id, verdict, role, shownHash, at: await deps.clock.now() };
      const isNew = answerTo(approval.record, said) === null;
      // What is on record its run may not have heard of, where the answer to the first request was lost with it.
      if (isNew && approval.state !== 'pending') throw settledRefusal(approval, { ...said, reasonId: null });
      const words = { reason, purpose: 'decision', subject: approvalWorkflowId(id), origin: decisionId } as const;
      const under = await keptConditions(deps, request, { approvalId: id, decisionId }, conditions);
      const outcome = await decide(deps, request, id, { ...said, reasonId: await keepReason(deps, request, words), ...under });
      return { outcome, approval: shownTo(request, await approvalOf(deps, request, id)) };
    },
  });

  app.route({
    method: 'POST',
    url: '/v1/approvals/:id/withdrawal',
    schema: {
      tags: ['approvals'],
      summary: 'Take a request back, which only its requester may',
      params: z.strictObject({ id: uuid }),
      body: withdrawalRequest,
      response: { 202: z.object({ approvalId: z.string() }) },
    },
    handler: async (request, reply) => {
      const { id } = request.params;
      const { record } = await approvalOf(deps, request, id);
      if (record.requestedBy !== request.principal.id) throw new ApiError('RequesterRequired', `requested by ${record.requestedBy}`);
      const ended = endedAlready(record);
      if (ended !== null) throw refused(ended);
      const words = { reason: request.body.reason, purpose: 'withdrawal', subject: approvalWorkflowId(id), origin: id } as const;
      const withdrawal = { reasonId: await keepReason(deps, request, words), at: await deps.clock.now() };
      const tell = async () => (await orUnknown(deps.gateway.signal(approvalWorkflowId(id), withdrawSignal, withdrawal))) || null;
      await ofRun(deps, request, id, tell, ({ record: found }) => {
        throw noRun(found);
      });
      void reply.code(202);
      return { approvalId: id };
    },
  });
}

function decide(deps: RouteDeps, request: FastifyRequest, approvalId: string, decision: DecisionInput): Promise<Outcome> {
  const message = { definition: decideUpdate, workflowId: approvalWorkflowId(approvalId), id: decision.decisionId, input: decision };
  const ask = () =>
    askRun<DecisionReceipt, DecisionInput, Outcome | null>(deps, request, message, { done: ({ outcome }) => outcome, noRun: () => null });
  return ofRun(deps, request, approvalId, ask, (approval) => settledAnswer(approval, decision));
}

const RUN_ASKED_TIMES = 8;
const RUN_ASKED_EVERY_MS = 250;
const TOLD_AGAIN_AFTER = 3;

/**
 * What the run answers; where it took nothing (null), `fromRecord` says it from the approval as it stands. An approval is on record a moment
 * before its run is started (ADR 0025), so while it is pending the run is asked again, for about two seconds; and the run of whoever asked is
 * told of the request, which it may never have heard of.
 */
export async function ofRun<T>(
  deps: RouteDeps,
  request: FastifyRequest,
  id: string,
  ask: () => Promise<T | null>,
  fromRecord: (approval: ApprovalDetail) => T,
): Promise<T> {
  for (let asked = 1; ; asked += 1) {
    const answer = await ask();
    if (answer !== null) return answer;
    const approval = await approvalOf(deps, request, id);
    if (!isOpen(approval.record) || asked === RUN_ASKED_TIMES) return fromRecord(approval);
    if (asked === TOLD_AGAIN_AFTER) await orUnknown(tellAgain(deps, request, id));
    await delay(RUN_ASKED_EVERY_MS);
  }
}

/** An approval that has ended answers from its record: the same decision again is no conflict, any other is (RULES Approvals). */
function settledAnswer({ record }: ApprovalDetail, decision: DecisionInput): Outcome {
  const answered = answerTo(record, decision);
  if (answered !== null) return answered;
  throw settledRefusal({ record }, decision);
}

function settledRefusal({ record }: Pick<ApprovalDetail, 'record'>, decision: DecisionInput): ApiError {
  if (record.kind === 'pending') return noRun(record);
  return refused(refusalWithoutFacts(record, decision) ?? { violation: 'AlreadyDecided', detail: record.kind });
}

/** No run took the message: the approval has ended meanwhile, or its run is gone. */
export function noRun(record: ApprovalDetail['record']): ApiError {
  const ended = endedAlready(record);
  return ended === null ? new ApiError('RunMissing', 'the approval is pending, but no run takes decisions') : refused(ended);
}

async function readerOf(deps: RouteDeps, request: FastifyRequest): Promise<ApprovalReader> {
  const userId = request.principal.kind === 'user' ? request.principal.id : null;
  return { scope: request.scope, userId, at: await deps.clock.now() };
}

export async function approvalOf(deps: RouteDeps, request: FastifyRequest, id: string): Promise<ApprovalDetail> {
  const approval = await readApproval(deps.db, await readerOf(deps, request), id);
  if (approval === undefined) throw new ApiError('ApprovalUnknown', id);
  return approval;
}

export function shownTo(request: FastifyRequest, { record: _record, shownBefore, ...approval }: ApprovalDetail) {
  const lacks = (permission: 'cost.read' | 'margin.read' | 'pay.read') =>
    !covers(scopeInApprovals(request.principal, permission), [approval.entityId]);
  const hidden = { cost: lacks('cost.read'), margin: lacks('margin.read'), pay: lacks('pay.read') };
  const shown = withoutFields(approval.shown, hidden);
  const changes = shownBefore === undefined ? null : differences(withoutFields(shownBefore, hidden), shown, NAMES_IN_LISTS);
  return { ...approval, shown, changes: changes?.slice(0, MOST_CHANGES) ?? null, changeCount: changes?.length ?? 0 };
}

/** Of long lists so many are shown, as of what approvers of policies are. */
const MOST_CHANGES = 200;

/** By what elements of what approvers are shown are the same thing in two requests. */
const NAMES_IN_LISTS = ['id', 'lineId', 'path', 'taskId', 'position'];
