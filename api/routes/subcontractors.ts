import { type FastifyRequest } from 'fastify';
import { z } from 'zod';
import { uuid } from '../../contracts/api/common';
import { subcontractorCostListSchema, subcontractorCostQuery, subcontractorSpendSchema } from '../../contracts/api/subcontractors';
import { listCosts, readSpend } from '../../db/reads/subcontractors';
import { dealWorkflowId } from '../../domain/ids';
import { knownDeal } from '../deal-access';
import { type RouteDeps } from '../deps';
import { pageAnswer, pageRequest } from '../paging';
import { type Api } from '../routing';

const params = z.strictObject({ dealId: uuid });
const showsFieldsOf = (request: FastifyRequest): string => dealWorkflowId((request.params as { dealId: string }).dealId);

/** What subcontractors cost the lines of a deal: cost is a field with a right of its own, so who is shown it is on record. */
export function subcontractorRoutes(app: Api, deps: RouteDeps): void {
  app.route({
    method: 'GET',
    url: '/v1/deals/:dealId/subcontractor-spend',
    config: { showsFieldsOf },
    schema: {
      tags: ['subcontractors'],
      summary: 'What each line has spent on subcontractors, beside its budget',
      params,
      response: { 200: subcontractorSpendSchema },
    },
    handler: async (request) => {
      const { dealId } = await knownDeal(deps, request, request.params.dealId);
      return { dealId, lines: await readSpend(deps.db, request.scope, dealId) };
    },
  });

  app.route({
    method: 'GET',
    url: '/v1/deals/:dealId/subcontractor-costs',
    config: { showsFieldsOf },
    schema: {
      tags: ['subcontractors'],
      summary: 'Commitments to subcontractors and their bills, the last recorded first',
      params,
      querystring: subcontractorCostQuery,
      response: { 200: subcontractorCostListSchema },
    },
    handler: async (request) => {
      const { dealId } = await knownDeal(deps, request, request.params.dealId);
      const { lineId } = request.query;
      return pageAnswer(await listCosts(deps.db, request.scope, { dealId, lineId }, pageRequest(request.query, ['instant', 'text'])));
    },
  });
}
