import { z } from 'zod';
import { acceptedSchema, uuid } from '../../contracts/api/common';
import { deliveryPlanSchema, standingPlanSchema } from '../../contracts/api/deals';
import { planTag, standingPlan } from '../../db/delivery-plan';
import { covers } from '../../domain/access';
import { dealWorkflowId } from '../../domain/ids';
import { knownDeal, openDeal, requireLead } from '../deal-access';
import { putPlan } from '../delivery-plan';
import { type RouteDeps } from '../deps';
import { type Api, fieldScope } from '../routing';

const params = z.strictObject({ dealId: uuid });

/** The delivery plan of a deal before its baseline: read whole, replaced whole. */
export function deliveryPlanRoutes(app: Api, deps: RouteDeps): void {
  const url = '/v1/deals/:dealId/delivery-plan';
  app.route({
    method: 'GET',
    url,
    config: { tagged: true, showsFieldsOf: (request) => dealWorkflowId((request.params as { dealId: string }).dealId) },
    schema: {
      tags: ['deals'],
      summary: 'The delivery plan before the baseline, as it was accepted last; its ETag is what a PUT names as If-Match',
      params,
      response: { 200: standingPlanSchema },
    },
    handler: async (request, reply) => {
      const { dealId } = request.params;
      const deal = await knownDeal(deps, request, dealId);
      requireLead(request, deal);
      const plan = await standingPlan(deps.db, dealId);
      void reply.header('etag', `"${planTag(plan)}"`);
      const seesCost = covers(fieldScope(request, 'cost.read'), [deal.leadEntityId]);
      return { dealId, tasks: plan.tasks, subcontractorBudgets: seesCost ? plan.subcontractorBudgets : null };
    },
  });

  app.route({
    method: 'PUT',
    url,
    config: { ifMatch: 'required' },
    schema: {
      tags: ['deals'],
      summary: 'The delivery plan before the baseline; replaces the one that If-Match names',
      params,
      body: deliveryPlanSchema,
      response: { 202: acceptedSchema },
    },
    handler: async (request, reply) => {
      const { dealId } = request.params;
      requireLead(request, await openDeal(deps, request, dealId));
      void reply.code(202);
      return putPlan(deps, request, dealId, request.body);
    },
  });
}
