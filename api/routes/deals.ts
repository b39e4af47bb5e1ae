import { type FastifyRequest } from 'fastify';
import { z } from 'zod';
import { acceptedSchema, pageQuery, uuid } from '../../contracts/api/common';
import {
  cancellationReceipt,
  cancellationRequest,
  dealListSchema,
  dealQuery,
  dealSchema,
  deliveryPlanSchema,
  sowProposalListSchema,
  sowProposalReceiptSchema,
  sowProposalRequest,
} from '../../contracts/api/deals';
import { listDeals, listSowProposals, readDeal, readDealState } from '../../db/reads/deals';
import { covers } from '../../domain/access';
import { dealWorkflowId } from '../../domain/ids';
import { dealReportedSignal, proposeTermsUpdate, requestCancellationUpdate } from '../../workflows/deal-to-cash/messages';
import { type RouteDeps } from '../deps';
import { ApiError } from '../errors';
import { idFor } from '../idempotency';
import { putIntake } from '../intake';
import { pageAnswer, pageRequest } from '../paging';
import { type Api } from '../routing';
import { keepReason } from '../texts';
import { answerOf, orUnknown, updateIdOf } from '../updates';
import { waitsOf } from '../waits';

const FINISHED = ['closed', 'declined', 'cancelled'];
const params = z.strictObject({ dealId: uuid });

/** Deals: their terms, their handoff, the statement of work, and what is asked of their runs. */
export function dealRoutes(app: Api, deps: RouteDeps): void {
  dealReads(app, deps);
  dealRequests(app, deps);

  app.route({
    method: 'PUT',
    url: '/v1/deals/:dealId/delivery-plan',
    schema: {
      tags: ['deals'],
      summary: 'The delivery plan before the baseline; replaces the one before',
      params,
      body: deliveryPlanSchema,
      response: { 202: acceptedSchema },
    },
    handler: async (request, reply) => {
      const { dealId } = await wholeDeal(deps, request, request.params.dealId);
      void reply.code(202);
      return await putIntake(deps, request, 'delivery-plan', `deal/${dealId}`, { dealId, tasks: request.body.tasks });
    },
  });

  app.route({
    method: 'POST',
    url: '/v1/deals/:dealId/handoff/recheck',
    schema: {
      tags: ['deals'],
      summary: 'Have a waiting deal look again at what it lacked',
      params,
      response: { 202: z.object({ dealId: z.string() }) },
    },
    handler: async (request, reply) => {
      const { dealId } = await openDeal(deps, request, request.params.dealId);
      const report = { eventId: idFor(request, 'recheck'), at: await deps.clock.now() };
      const told = await orUnknown(deps.gateway.signal(dealWorkflowId(dealId), dealReportedSignal, report));
      if (!told) await refuseWithoutRun(deps, request, dealId);
      void reply.code(202);
      return { dealId };
    },
  });
}

function dealRequests(app: Api, deps: RouteDeps): void {
  app.route({
    method: 'POST',
    url: '/v1/deals/:dealId/sow-proposals',
    schema: {
      tags: ['deals'],
      summary: 'Propose the governing terms of the statement of work',
      params,
      body: sowProposalRequest,
      response: { 201: sowProposalReceiptSchema },
    },
    handler: async (request, reply) => {
      const { dealId } = await wholeDeal(deps, request, request.params.dealId);
      const { proposalId = idFor(request, 'sow-proposal'), documentId } = request.body;
      const terms = request.body.terms.map(({ currency, ...term }) => (currency === undefined ? term : { ...term, currency }));
      const input = { proposalId, documentId, terms, by: request.principal.id, at: await deps.clock.now() };
      const sent = deps.gateway.update({
        definition: proposeTermsUpdate,
        workflowId: dealWorkflowId(dealId),
        input,
        updateId: updateIdOf(proposalId, input),
      });
      const receipt = await answerOf(
        sent,
        (done) => done,
        () => refuseWithoutRun(deps, request, dealId),
        (path) => (terms.some((term) => term.path === path) ? `/terms/${terms.findIndex((term) => term.path === path)}` : path),
      );
      void reply.code(201);
      return receipt;
    },
  });

  app.route({
    method: 'POST',
    url: '/v1/deals/:dealId/cancellation',
    schema: {
      tags: ['deals'],
      summary: 'Ask for the cancellation of a deal; it is decided by approval',
      params,
      body: cancellationRequest,
      response: { 201: cancellationReceipt },
    },
    handler: async (request, reply) => {
      const { dealId } = await openDeal(deps, request, request.params.dealId);
      const requestId = idFor(request, 'cancellation');
      const { reason, effectiveOn } = request.body;
      const words = { reason, purpose: 'cancellation', subject: dealWorkflowId(dealId), origin: requestId } as const;
      const reasonId = await keepReason(deps, request, words);
      const input = { requestId, by: request.principal.id, reasonId, effectiveOn, at: await deps.clock.now() };
      const sent = deps.gateway.update({
        definition: requestCancellationUpdate,
        workflowId: dealWorkflowId(dealId),
        input,
        updateId: updateIdOf(requestId, input),
      });
      const receipt = await answerOf(
        sent,
        ({ approvalId }) => ({ approvalId }),
        () => refuseWithoutRun(deps, request, dealId),
      );
      void reply.code(201);
      return receipt;
    },
  });
}

function dealReads(app: Api, deps: RouteDeps): void {
  app.route({
    method: 'GET',
    url: '/v1/deals',
    schema: { tags: ['deals'], summary: 'Deals, the last won first', querystring: dealQuery, response: { 200: dealListSchema } },
    handler: async (request) => {
      const page = pageRequest(request.query, ['instant', 'uuid']);
      return pageAnswer(await listDeals(deps.db, request.scope, { state: request.query.state }, page));
    },
  });

  app.route({
    method: 'GET',
    url: '/v1/deals/:dealId',
    schema: {
      tags: ['deals'],
      summary: 'One deal: terms, what the handoff lacks, names, waits, links',
      params,
      response: { 200: dealSchema },
    },
    handler: async (request) => {
      const { dealId } = request.params;
      const deal = await readDeal(deps.db, request.scope, dealId);
      if (deal === undefined) throw new ApiError('DealUnknown', dealId);
      const workflowId = dealWorkflowId(dealId);
      return {
        ...deal,
        waits: await waitsOf(deps, request, { dealId }),
        links: {
          self: `/v1/deals/${dealId}`,
          run: `/v1/runs/${encodeURIComponent(workflowId)}`,
          temporal: deps.gateway.linkTo(workflowId),
          approvals: `/v1/approvals?dealId=${dealId}`,
          invoices: `/v1/invoices?dealId=${dealId}`,
        },
      };
    },
  });

  app.route({
    method: 'GET',
    url: '/v1/deals/:dealId/sow-proposals',
    schema: {
      tags: ['deals'],
      summary: 'Proposed terms and where they differ from the deal',
      params,
      querystring: z.strictObject(pageQuery),
      response: { 200: sowProposalListSchema },
    },
    handler: async (request) => {
      const page = await listSowProposals(deps.db, request.scope, request.params.dealId, pageRequest(request.query, ['number']));
      if (page === undefined) throw new ApiError('DealUnknown', request.params.dealId);
      return pageAnswer(page);
    },
  });
}

async function openDeal(deps: RouteDeps, request: FastifyRequest, dealId: string): Promise<{ dealId: string; leadEntityId: string }> {
  const deal = await readDealState(deps.db, request.scope, dealId);
  if (deal === undefined) throw new ApiError('DealUnknown', dealId);
  if (FINISHED.includes(deal.state)) throw new ApiError('DealFinished', `the deal is ${deal.state}`);
  return deal;
}

/** What speaks for every line of a deal is said by its lead entity; another one would write what it may not read. */
async function wholeDeal(deps: RouteDeps, request: FastifyRequest, dealId: string): Promise<{ dealId: string }> {
  const deal = await openDeal(deps, request, dealId);
  if (!covers(request.scope, [deal.leadEntityId])) throw new ApiError('ScopeTooSmall', `the deal is led by ${deal.leadEntityId}`);
  return deal;
}

/** No run took the message: the deal has ended meanwhile, or its run has not begun. */
async function refuseWithoutRun(deps: RouteDeps, request: FastifyRequest, dealId: string): Promise<never> {
  await openDeal(deps, request, dealId);
  throw new ApiError('DealNotStarted', 'the run of the deal is not there yet');
}
