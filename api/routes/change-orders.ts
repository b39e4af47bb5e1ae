import { type FastifyRequest } from 'fastify';
import { z } from 'zod';
import {
  changeOrderListSchema,
  changeOrderQuery,
  changeOrderReceiptSchema,
  changeOrderRequest,
  changeOrderSchema,
  contractVersionListSchema,
} from '../../contracts/api/change-orders';
import { uuid } from '../../contracts/api/common';
import { listChangeOrders, listContractVersions, sellersOfLines } from '../../db/reads/change-orders';
import { covers } from '../../domain/access';
import { changeOrderEffect } from '../../contracts/effect-names';
import { type ChangeOrderReceipt } from '../../contracts/workflow-state';
import { answerOfEffect } from '../../db/effects';
import { dealWorkflowId } from '../../domain/ids';
import { requestChangeUpdate } from '../../workflows/deal-to-cash/messages';
import { dealOf, orderOf, refuseWithoutRun, type KnownDeal } from '../change-orders';
import { type RouteDeps } from '../deps';
import { ApiError } from '../errors';
import { pageAnswer, pageRequest } from '../paging';
import { type Api } from '../routing';
import { keepReason } from '../texts';
import { askRun } from '../updates';

const ofDeal = z.strictObject({ dealId: uuid });
const params = z.strictObject({ dealId: uuid, id: uuid });

/** Changes of the running contract, and the versions that they have made of it. */
export function changeOrderRoutes(app: Api, deps: RouteDeps): void {
  changeOrderReads(app, deps);

  app.route({
    method: 'POST',
    url: '/v1/deals/:dealId/change-orders',
    schema: {
      tags: ['change orders'],
      summary: 'Ask for a change of the running contract; the same number with the same content is the same order',
      params: ofDeal,
      body: changeOrderRequest,
      response: { 201: changeOrderReceiptSchema },
    },
    handler: async (request, reply) => {
      const { dealId } = request.params;
      const deal = await dealOf(deps, request, dealId);
      const { reason, number, changes, tasks, ...rest } = request.body;
      await refuseForeignLines(deps, request, deal, changes.map((change) => change.path), tasks.map((task) => task.lineId)); // prettier-ignore
      const words = { reason, purpose: 'change-order', subject: dealWorkflowId(dealId), origin: `${dealId}/${number}` } as const;
      const reasonId = (await keepReason(deps, request, words)) ?? '';
      const asked = changes.map(({ path, from, to, currency, inForceFrom }) => ({
        path,
        from,
        to:
          typeof to === 'string'
            ? to
            : { monthlyFee: to.monthlyFee, currency: to.currency, serviceFrom: to.serviceFrom, serviceTo: to.serviceTo },
        ...(currency === undefined ? {} : { currency }),
        inForceFrom,
      }));
      const input = { ...rest, number, changes: asked, tasks, reasonId, by: request.principal.id, at: await deps.clock.now() };
      const pointerOf = (path: string): string => {
        const at = changes.findIndex((change) => change.path === path);
        return at >= 0 ? `/changes/${at}` : path === 'tasks' ? '/tasks' : path;
      };
      const message = { definition: requestChangeUpdate, workflowId: dealWorkflowId(dealId), id: number, input };
      const receipt = await askRun(deps, request, message, {
        done: (done) => done,
        noRun: async () => {
          const before = await answerOfEffect<{ receipt: ChangeOrderReceipt }>(deps.db, changeOrderEffect(dealId, input));
          return before?.receipt ?? refuseWithoutRun(deps, request, dealId);
        },
        pointerOf,
      });
      void reply.code(201);
      return receipt;
    },
  });
}

function changeOrderReads(app: Api, deps: RouteDeps): void {
  app.route({
    method: 'GET',
    url: '/v1/deals/:dealId/change-orders',
    schema: {
      tags: ['change orders'],
      summary: 'Change orders of a deal, the last asked for first',
      params: ofDeal,
      querystring: changeOrderQuery,
      response: { 200: changeOrderListSchema },
    },
    handler: async (request) => {
      const { dealId } = await dealOf(deps, request, request.params.dealId);
      return pageAnswer(await listChangeOrders(deps.db, request.scope, dealId, pageRequest(request.query, ['instant', 'uuid'])));
    },
  });

  app.route({
    method: 'GET',
    url: '/v1/deals/:dealId/change-orders/:id',
    schema: {
      tags: ['change orders'],
      summary: 'One change order: what it changes and is worth, who has approved it, how it is accounted for',
      params,
      response: { 200: changeOrderSchema },
    },
    handler: (request) => orderOf(deps, request),
  });

  app.route({
    method: 'GET',
    url: '/v1/deals/:dealId/contract-versions',
    schema: {
      tags: ['change orders'],
      summary: 'Versions of the contract, the one that governs first',
      params: ofDeal,
      querystring: changeOrderQuery,
      response: { 200: contractVersionListSchema },
    },
    handler: async (request) => {
      const { dealId } = await dealOf(deps, request, request.params.dealId);
      return pageAnswer(await listContractVersions(deps.db, request.scope, dealId, pageRequest(request.query, ['number'])));
    },
  });
}

/** A change is asked for by whoever may do so for every line that it touches, or for the deal as a whole. */
async function refuseForeignLines(
  deps: RouteDeps,
  request: FastifyRequest,
  deal: KnownDeal,
  paths: readonly string[],
  taskLineIds: readonly string[],
): Promise<void> {
  if (covers(request.scope, [deal.leadEntityId])) return;
  const sellers = await sellersOfLines(deps.db, deal.dealId);
  const named = paths.flatMap((path) => (path.startsWith('lines.') ? [path.split('.')[1] ?? ''] : []));
  for (const lineId of [...named, ...taskLineIds]) {
    const seller = sellers.get(lineId);
    if (seller !== undefined && !covers(request.scope, [seller]))
      throw new ApiError('ScopeTooSmall', `line ${lineId} is sold by another entity`);
  }
}
