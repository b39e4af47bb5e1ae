import { type FastifyRequest } from 'fastify';
import { z } from 'zod';
import {
  contractBalanceListSchema,
  forecastsRequest,
  interestListSchema,
  interestQuery,
  ofDealQuery,
  periodListSchema,
  periodQuery,
  revenueListSchema,
  trialBalanceQuery,
  trialBalanceSchema,
} from '../../contracts/api/books';
import { acceptedSchema, outsideId, uuid } from '../../contracts/api/common';
import { isEntityInScope, listContractBalances, listPeriods, listRevenue, readTrialBalance } from '../../db/reads/books';
import { readDealState } from '../../db/reads/deals';
import { listInterest } from '../../db/reads/interest';
import { type RouteDeps } from '../deps';
import { ApiError } from '../errors';
import { putIntake } from '../intake';
import { pageAnswer, pageRequest } from '../paging';
import { type Api } from '../routing';

const entityParams = z.strictObject({ entityId: outsideId });
const dealParams = z.strictObject({ dealId: uuid });

/** Books of entities, revenue and contract balances of deals, interest of late invoices, estimates to complete. */
export function bookRoutes(app: Api, deps: RouteDeps): void {
  entityBooks(app, deps);
  booksOfDeals(app, deps);

  app.route({
    method: 'GET',
    url: '/v1/receivables/interest',
    schema: {
      tags: ['books'],
      summary: 'Interest that late invoices have earned by the end of a day; nothing of it is posted or claimed',
      querystring: interestQuery,
      response: { 200: interestListSchema },
    },
    handler: async (request) => {
      const { asOf, entityId, ...page } = request.query;
      const day = asOf ?? (await deps.clock.now()).slice(0, 10);
      return pageAnswer(await listInterest(deps.db, request.scope, { entityId }, day, pageRequest(page, ['text'])));
    },
  });
}

function entityBooks(app: Api, deps: RouteDeps): void {
  app.route({
    method: 'GET',
    url: '/v1/entities/:entityId/periods',
    schema: {
      tags: ['books'],
      summary: 'Accounting months of an entity, the last first',
      params: entityParams,
      querystring: periodQuery,
      response: { 200: periodListSchema },
    },
    handler: async (request) => {
      const { entityId } = request.params;
      await entityOfReader(deps, request, entityId);
      return pageAnswer(await listPeriods(deps.db, entityId, pageRequest(request.query, ['text'])));
    },
  });

  app.route({
    method: 'GET',
    url: '/v1/entities/:entityId/trial-balance',
    schema: {
      tags: ['books'],
      summary: 'Balances of an entity at the end of a day, by account and currency',
      params: entityParams,
      querystring: trialBalanceQuery,
      response: { 200: trialBalanceSchema },
    },
    handler: async (request) => {
      const { entityId } = request.params;
      const { book } = request.query;
      await entityOfReader(deps, request, entityId);
      const asOf = request.query.asOf ?? (await deps.clock.now()).slice(0, 10);
      return { entityId, asOf, book, accounts: await readTrialBalance(deps.db, entityId, asOf, book) };
    },
  });
}

function booksOfDeals(app: Api, deps: RouteDeps): void {
  app.route({
    method: 'GET',
    url: '/v1/deals/:dealId/revenue',
    schema: {
      tags: ['books'],
      summary: 'Revenue of a deal as posted, by line and month',
      params: dealParams,
      querystring: ofDealQuery,
      response: { 200: revenueListSchema },
    },
    handler: async (request) => {
      const dealId = await dealOfReader(deps, request, request.params.dealId);
      const page = pageRequest(request.query, ['text', 'text', 'text', 'text']);
      return pageAnswer(await listRevenue(deps.db, request.scope, dealId, page));
    },
  });

  app.route({
    method: 'GET',
    url: '/v1/deals/:dealId/contract-balances',
    schema: {
      tags: ['books'],
      summary: 'Contract asset or liability of each line at each month end, never netted',
      params: dealParams,
      querystring: ofDealQuery,
      response: { 200: contractBalanceListSchema },
    },
    handler: async (request) => {
      const dealId = await dealOfReader(deps, request, request.params.dealId);
      const page = pageRequest(request.query, ['text', 'text']);
      return pageAnswer(await listContractBalances(deps.db, request.scope, dealId, page));
    },
  });

  app.route({
    method: 'POST',
    url: '/v1/deals/:dealId/forecasts',
    schema: {
      tags: ['books'],
      summary: 'Estimates to complete of lines at month ends; the last one stated for a month counts',
      params: dealParams,
      body: forecastsRequest,
      response: { 202: acceptedSchema },
    },
    handler: async (request, reply) => {
      const dealId = await dealOfReader(deps, request, request.params.dealId);
      void reply.code(202);
      return await putIntake(deps, request, 'cost-forecasts', `time/${dealId}`, { dealId, forecasts: request.body.forecasts });
    },
  });
}

async function entityOfReader(deps: RouteDeps, request: FastifyRequest, entityId: string): Promise<void> {
  if (!(await isEntityInScope(deps.db, request.scope, entityId))) throw new ApiError('EntityUnknown', entityId);
}

async function dealOfReader(deps: RouteDeps, request: FastifyRequest, dealId: string): Promise<string> {
  if ((await readDealState(deps.db, request.scope, dealId)) === undefined) throw new ApiError('DealUnknown', dealId);
  return dealId;
}
