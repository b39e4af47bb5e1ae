import { type FastifyRequest } from 'fastify';
import { z } from 'zod';
import { pageQuery, uuid } from '../../contracts/api/common';
import {
  cancellationReceipt,
  cancellationRequest,
  dealListSchema,
  dealQuery,
  dealSchema,
  sowProposalListSchema,
  sowProposalReceiptSchema,
  sowProposalRequest,
} from '../../contracts/api/deals';
import { sowProposalEffect } from '../../contracts/effect-names';
import { type SowProposalReceipt } from '../../contracts/workflow-state';
import { answerOfEffect } from '../../db/effects';
import { cancellationRequestOf, listDeals, listSowProposals } from '../../db/reads/deals';
import { dealWorkflowId } from '../../domain/ids';
import { dealReportedSignal, proposeTermsUpdate, requestCancellationUpdate } from '../../workflows/deal-to-cash/messages';
import { knownDeal, openDeal, refuseFinished, requireLead } from '../deal-access';
import { type RouteDeps } from '../deps';
import { ApiError } from '../errors';
import { idFor } from '../idempotency';
import { pageAnswer, pageRequest } from '../paging';
import { showTagged } from '../preconditions';
import { type Api } from '../routing';
import { keepReason } from '../texts';
import { alsoTold, askRun, orUnknown, saidBy } from '../updates';

const params = z.strictObject({ dealId: uuid });

/** Deals: their terms, their handoff, the statement of work, and what is asked of their runs. */
export function dealRoutes(app: Api, deps: RouteDeps): void {
  dealReads(app, deps);
  dealRequests(app, deps);

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
      const { dealId } = request.params;
      await openDeal(deps, request, dealId);
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
    config: { ifMatch: 'optional' },
    schema: {
      tags: ['deals'],
      summary: 'Propose the governing terms of the statement of work',
      params,
      body: sowProposalRequest,
      response: { 201: sowProposalReceiptSchema },
    },
    handler: async (request, reply) => {
      const { dealId } = request.params;
      const deal = await knownDeal(deps, request, dealId);
      requireLead(request, deal);
      const { proposalId = idFor(request, 'sow-proposal'), documentId } = request.body;
      const terms = request.body.terms.map(({ currency, ...term }) => (currency === undefined ? term : { ...term, currency }));
      const input = { proposalId, documentId, terms, ...(await saidBy(deps, request, 'deal', dealId)) };
      const message = { definition: proposeTermsUpdate, workflowId: dealWorkflowId(dealId), id: proposalId, input };
      const before = await answerOfEffect<{ receipt: SowProposalReceipt }>(deps.db, sowProposalEffect(dealId, input));
      if (before === null) refuseFinished(deal);
      const asked = askRun(deps, request, message, {
        done: (done) => done,
        noRun: () => refuseWithoutRun(deps, request, dealId),
        pointerOf: (path) => (terms.some((term) => term.path === path) ? `/terms/${terms.findIndex((term) => term.path === path)}` : path),
      });
      const receipt = await (before === null ? asked : alsoTold(asked, before.receipt));
      void reply.code(201);
      return receipt;
    },
  });

  app.route({
    method: 'POST',
    url: '/v1/deals/:dealId/cancellation',
    config: { ifMatch: 'optional' },
    schema: {
      tags: ['deals'],
      summary: 'Ask for the cancellation of a deal; it is decided by approval',
      params,
      body: cancellationRequest,
      response: { 201: cancellationReceipt },
    },
    handler: async (request, reply) => {
      const { dealId } = request.params;
      const deal = await knownDeal(deps, request, dealId);
      const requestId = idFor(request, 'cancellation');
      const before = await cancellationRequestOf(deps.db, dealId, requestId);
      if (before === undefined) refuseFinished(deal);
      const { reason, effectiveOn } = request.body;
      const words = { reason, purpose: 'cancellation', subject: dealWorkflowId(dealId), origin: requestId } as const;
      const reasonId = await keepReason(deps, request, words);
      const input = { requestId, reasonId, effectiveOn, ...(await saidBy(deps, request, 'deal', dealId)) };
      const message = { definition: requestCancellationUpdate, workflowId: dealWorkflowId(dealId), id: requestId, input };
      const asked = askRun(deps, request, message, {
        done: ({ approvalId }) => ({ approvalId }),
        noRun: () => refuseWithoutRun(deps, request, dealId),
      });
      const receipt = await (before === undefined ? asked : alsoTold(asked, { approvalId: before.approvalId }));
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
    config: { tagged: true },
    schema: {
      tags: ['deals'],
      summary: 'One deal: terms, what the handoff lacks, names, waits, links',
      params,
      response: { 200: dealSchema },
    },
    handler: async (request, reply) => {
      const { dealId } = request.params;
      const workflowId = dealWorkflowId(dealId);
      return {
        ...(await showTagged(deps, { request, reply }, 'deal', dealId)),
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

/** No run took the message: the deal has ended meanwhile, or its run has not begun. */
async function refuseWithoutRun(deps: RouteDeps, request: FastifyRequest, dealId: string): Promise<never> {
  await openDeal(deps, request, dealId);
  throw new ApiError('DealNotStarted', 'the run of the deal is not there yet');
}
