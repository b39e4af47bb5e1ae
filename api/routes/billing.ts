import { z } from 'zod';
import { findingListSchema, findingQuery, lineRunsSchema } from '../../contracts/api/billing';
import { uuid } from '../../contracts/api/common';
import { readDealState } from '../../db/reads/deals';
import { listFindings } from '../../db/reads/findings';
import { readLineState } from '../../db/reads/lines';
import { readLineRuns } from '../../db/reads/period-runs';
import { type RouteDeps } from '../deps';
import { ApiError } from '../errors';
import { pageAnswer, pageRequest } from '../paging';
import { type Api } from '../routing';

/** What runs billed and left, and what policy says about time and expenses. */
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
    handler: async (request) => {
      const line = await readLineState(deps.db, request.scope, request.params.id);
      if (line === undefined) throw new ApiError('LineUnknown', request.params.id);
      return readLineRuns(deps.db, line.contractLineId);
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
