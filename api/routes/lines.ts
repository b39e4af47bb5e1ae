import { type FastifyRequest } from 'fastify';
import { z } from 'zod';
import { outsideId, uuid } from '../../contracts/api/common';
import {
  deliveryRequest,
  lineSchema,
  lineWritten,
  releaseRequest,
  responseRequest,
  usageRequest,
  waiverRequest,
} from '../../contracts/api/lines';
import { type LineView } from '../../contracts/workflow-state';
import { isReportedUsage, readLineState } from '../../db/reads/lines';
import { type Waiver } from '../../domain/engagement/waiver';
import { lineWorkflowId } from '../../domain/ids';
import { parseMoney } from '../../domain/money';
import { isViolation } from '../../domain/violation';
import {
  deliverMilestoneUpdate,
  planRunUpdate,
  releaseItemUpdate,
  reportUsageUpdate,
  respondToMilestoneUpdate,
  waiveUpdate,
} from '../../workflows/contract-line/messages';
import { type RouteDeps } from '../deps';
import { ApiError } from '../errors';
import { idFor } from '../idempotency';
import { showTagged, shownTo } from '../preconditions';
import { type Api, fieldScope } from '../routing';
import { keepReason } from '../texts';
import { askRun, type Message, saidBy } from '../updates';

const params = z.strictObject({ id: uuid });
const milestoneParams = z.strictObject({ id: uuid, milestoneId: outsideId });

/** Contract lines and the facts of their delivery: milestones, acceptance, usage. */
export function lineRoutes(app: Api, deps: RouteDeps): void {
  app.route({
    method: 'GET',
    url: '/v1/contract-lines/:id',
    config: { tagged: true },
    schema: {
      tags: ['contract lines'],
      summary: 'One contract line: terms, milestones, billing plan',
      params,
      response: { 200: lineSchema },
    },
    handler: (request, reply) => showTagged(deps, { request, reply }, 'line', request.params.id),
  });

  app.route({
    method: 'POST',
    url: '/v1/contract-lines/:id/milestones/:milestoneId/deliveries',
    config: { ifMatch: 'optional' },
    schema: {
      tags: ['contract lines'],
      summary: 'A milestone was delivered',
      params: milestoneParams,
      body: deliveryRequest,
      response: { 200: lineWritten },
    },
    handler: async (request) => {
      const { id, milestoneId } = request.params;
      const deliveryId = idFor(request, 'delivery');
      const input = { deliveryId, milestoneId, ...request.body, ...(await saidBy(deps, request, 'line', id)) };
      return record(deps, request, id, milestoneId, { definition: deliverMilestoneUpdate, id: deliveryId, input });
    },
  });

  app.route({
    method: 'POST',
    url: '/v1/contract-lines/:id/milestones/:milestoneId/responses',
    config: { ifMatch: 'optional' },
    schema: {
      tags: ['contract lines'],
      summary: 'The customer accepted or rejected a delivery',
      params: milestoneParams,
      body: responseRequest,
      response: { 200: lineWritten },
    },
    handler: async (request) => {
      const { id, milestoneId } = request.params;
      const { reason, documentReference = null, ...told } = request.body;
      const responseId = idFor(request, 'response');
      await stateOf(deps, request, id);
      const words = { reason, purpose: 'response', subject: `${lineWorkflowId(id)}/${milestoneId}`, origin: responseId } as const;
      const reasonId = await keepReason(deps, request, words);
      const input = { responseId, milestoneId, ...told, reasonId, documentReference, ...(await saidBy(deps, request, 'line', id)) };
      return record(deps, request, id, milestoneId, { definition: respondToMilestoneUpdate, id: responseId, input });
    },
  });
  usageAndReleaseRoutes(app, deps);
  waiverAndRunRoutes(app, deps);
}

function usageAndReleaseRoutes(app: Api, deps: RouteDeps): void {
  app.route({
    method: 'POST',
    url: '/v1/contract-lines/:id/usage-reports',
    config: { ifMatch: 'optional' },
    schema: {
      tags: ['contract lines'],
      summary: 'Usage of a month; the same event again counts once',
      params,
      body: usageRequest,
      response: { 200: lineWritten },
    },
    handler: async (request) => {
      const { id } = request.params;
      await stateOf(deps, request, id);
      if (await isReportedUsage(deps.db, id, request.body)) return written(deps, request, id, request.body.eventId);
      const input = { ...request.body, ...(await saidBy(deps, request, 'line', id)) };
      return record(deps, request, id, input.eventId, { definition: reportUsageUpdate, id: `usage/${input.eventId}`, input });
    },
  });

  app.route({
    method: 'POST',
    url: '/v1/contract-lines/:id/releases',
    config: { ifMatch: 'optional' },
    schema: {
      tags: ['contract lines'],
      summary: 'Release an item whose draft was refused: it is billed anew',
      params,
      body: releaseRequest,
      response: { 200: lineWritten },
    },
    handler: async (request) => {
      const { id } = request.params;
      const releaseId = idFor(request, 'release');
      const input = { releaseId, ...request.body, ...(await saidBy(deps, request, 'line', id)) };
      return record(deps, request, id, input.itemKey, { definition: releaseItemUpdate, id: releaseId, input });
    },
  });
}

function waiverAndRunRoutes(app: Api, deps: RouteDeps): void {
  app.route({
    method: 'POST',
    url: '/v1/contract-lines/:id/waivers',
    config: { ifMatch: 'optional' },
    schema: {
      tags: ['contract lines'],
      summary: 'What is not billed: overage hours of a month, time beyond the limit, other unbilled time or expenses',
      params,
      body: waiverRequest,
      response: { 200: lineWritten },
    },
    handler: async (request) => {
      const { id } = request.params;
      const waiverId = idFor(request, 'waiver');
      const input = { waiverId, ...waiverOf(request.body), ...(await saidBy(deps, request, 'line', id)) };
      return record(deps, request, id, request.body.kind, { definition: waiveUpdate, id: waiverId, input });
    },
  });

  app.route({
    method: 'POST',
    url: '/v1/contract-lines/:id/runs',
    config: { ifMatch: 'optional' },
    schema: {
      tags: ['contract lines'],
      summary: 'One more run, where something is left after the last',
      params,
      response: { 200: lineWritten },
    },
    handler: async (request) => {
      const { id } = request.params;
      const requestId = idFor(request, 'run');
      const input = { requestId, ...(await saidBy(deps, request, 'line', id)) };
      return record(deps, request, id, 'run', { definition: planRunUpdate, id: requestId, input });
    },
  });
}

/** Hours of overage are exact decimals; the amount of other items is money of the line. */
function waiverOf(body: z.infer<typeof waiverRequest>): Waiver & { readonly reasonCode: string } {
  if (body.kind === 'overage') return body;
  const { kind, currency, reasonCode } = body;
  const amount = parseMoney(body.amount, currency);
  if (!isViolation(amount)) return { kind, amount, reasonCode };
  throw new ApiError('AmountInvalid', amount.detail, { errors: [{ pointer: '/amount', code: 'AmountInvalid', detail: amount.detail }] });
}

/** Sends a fact to the run of the line; a line whose run is not there has ended or has not begun. */
async function record<Input>(
  deps: RouteDeps,
  request: FastifyRequest,
  id: string,
  subject: string,
  message: Omit<Message<LineView, Input>, 'workflowId'>,
): Promise<z.infer<typeof lineWritten>> {
  await stateOf(deps, request, id);
  return askRun(
    deps,
    request,
    { ...message, workflowId: lineWorkflowId(id) },
    {
      done: () => written(deps, request, id, subject),
      noRun: async () => {
        const { state } = await stateOf(deps, request, id);
        if (state === 'planned') throw new ApiError('LineNotActive', 'delivery has not started');
        if (state === 'finished' || state === 'cancelled') throw new ApiError('LineFinished', `the line is ${state}`);
        throw new ApiError('RunMissing', 'the run of the line is not there');
      },
    },
  );
}

/** The right to write a fact is no right to read the terms: who may not read the line gets a receipt. */
async function written(deps: RouteDeps, request: FastifyRequest, id: string, subject: string): Promise<z.infer<typeof lineWritten>> {
  const { state } = await stateOf(deps, request, id);
  const readable = fieldScope(request, 'deal.read');
  const isReadable = readable !== null && (await readLineState(deps.db, readable, id)) !== undefined;
  return isReadable ? shownTo(deps, request, 'line', id) : { contractLineId: id, subject, state };
}

async function stateOf(deps: RouteDeps, request: FastifyRequest, id: string) {
  const line = await readLineState(deps.db, request.scope, id);
  if (line === undefined) throw new ApiError('LineUnknown', id);
  return line;
}
