import { type FastifyRequest } from 'fastify';
import { z } from 'zod';
import {
  billableTimeSchema,
  drawdownSchema,
  findingListSchema,
  findingQuery,
  lineRunsSchema,
  settlementsSchema,
} from '../../contracts/api/billing';
import { uuid } from '../../contracts/api/common';
import { readDealState } from '../../db/reads/deals';
import { listFindings } from '../../db/reads/findings';
import { readLineState } from '../../db/reads/lines';
import { readLineRuns } from '../../db/reads/period-runs';
import { readBillableTime, readDrawdown, readSettlements } from '../../db/reads/service-months';
import { type RouteDeps } from '../deps';
import { ApiError } from '../errors';
import { pageAnswer, pageRequest } from '../paging';
import { type Api } from '../routing';

/** What may be billed, what runs and months came to, and what policy says about time and expenses. */
export function billingRoutes(app: Api, deps: RouteDeps): void {
  app.route({
    method: 'GET',
    url: '/v1/contract-lines/:id/runs',
    schema: {
      tags: ['contract lines'],
      summary: 'Runs of a time-and-materials line: limit, fees billed, parked and released',
      params: z.strictObject({ id: uuid }),
      response: { 200: lineRunsSchema },
    },
    handler: async (request) => readLineRuns(deps.db, await lineOfReader(deps, request, request.params.id)),
  });

  app.route({
    method: 'GET',
    url: '/v1/contract-lines/:id/drawdown',
    schema: {
      tags: ['contract lines'],
      summary: 'Hours drawn from a retainer in each month that has begun: used, rolled over, beyond it',
      params: z.strictObject({ id: uuid }),
      response: { 200: drawdownSchema },
    },
    handler: async (request) => ({ months: await readDrawdown(deps.db, await lineOfReader(deps, request, request.params.id)) }),
  });

  app.route({
    method: 'GET',
    url: '/v1/contract-lines/:id/settlements',
    schema: {
      tags: ['contract lines'],
      summary: 'What each reported month of a managed service settles: overage, true-up, service credit',
      params: z.strictObject({ id: uuid }),
      response: { 200: settlementsSchema },
    },
    handler: async (request) => ({ months: await readSettlements(deps.db, await lineOfReader(deps, request, request.params.id)) }),
  });

  app.route({
    method: 'GET',
    url: '/v1/deals/:dealId/billable-time',
    schema: {
      tags: ['deals'],
      summary: 'Approved, billable time of a deal by line: hours, and their amount as far as runs have priced them',
      params: z.strictObject({ dealId: uuid }),
      response: { 200: billableTimeSchema },
    },
    handler: async (request) => {
      const { dealId } = request.params;
      if ((await readDealState(deps.db, request.scope, dealId)) === undefined) throw new ApiError('DealUnknown', dealId);
      return { lines: await readBillableTime(deps.db, request.scope, dealId) };
    },
  });

  app.route({
    method: 'GET',
    url: '/v1/deals/:dealId/policy-findings',
    schema: {
      tags: ['deals'],
      summary: 'What policy says about time and expenses of a deal; closed ones no longer hold',
      params: z.strictObject({ dealId: uuid }),
      querystring: findingQuery,
      response: { 200: findingListSchema },
    },
    handler: async (request) => {
      const { dealId } = request.params;
      const { kind, code, state, ...page } = request.query;
      if ((await readDealState(deps.db, request.scope, dealId)) === undefined) throw new ApiError('DealUnknown', dealId);
      const shape = pageRequest(page, ['text', 'text', 'text']);
      return pageAnswer(await listFindings(deps.db, request.scope, dealId, { kind, code, state }, shape));
    },
  });
}

async function lineOfReader(deps: RouteDeps, request: FastifyRequest, id: string): Promise<string> {
  const line = await readLineState(deps.db, request.scope, id);
  if (line === undefined) throw new ApiError('LineUnknown', id);
  return line.contractLineId;
}
