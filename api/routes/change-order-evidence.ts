import { type FastifyRequest } from 'fastify';
import { z } from 'zod';
import { accountingRequest, changeOrderSchema, changeWithdrawalRequest, customerApprovalRequest } from '../../contracts/api/change-orders';
import { uuid } from '../../contracts/api/common';
import { type ChangeOrderDetail, readChangeOrder } from '../../db/reads/change-orders';
import { dealWorkflowId } from '../../domain/ids';
import { answerAccountingUpdate, recordCustomerApprovalUpdate, withdrawChangeUpdate } from '../../workflows/deal-to-cash/messages';
import { dealOf, orderOf, refuseWithoutRun, type OnOrder } from '../change-orders';
import { type RouteDeps } from '../deps';
import { ApiError } from '../errors';
import { type Api } from '../routing';
import { keepReason } from '../texts';
import { askRun, type Message } from '../updates';

const params = z.strictObject({ dealId: uuid, id: uuid });

/** What a change order needs besides the approval of the firm, and its withdrawal. */
export function changeOrderEvidenceRoutes(app: Api, deps: RouteDeps): void {
  app.route({
    method: 'POST',
    url: '/v1/deals/:dealId/change-orders/:id/customer-approval',
    schema: {
      tags: ['change orders'],
      summary: 'Record that the customer has approved: the document, and the day of its signature',
      params,
      body: customerApprovalRequest,
      response: { 200: changeOrderSchema },
    },
    handler: async (request) => {
      const { id: changeOrderId } = await wholeOrder(deps, request);
      const { documentReference, signedOn, signedBy } = request.body;
      const words = { reason: signedBy, purpose: 'signatory', subject: `change-order/${changeOrderId}`, origin: changeOrderId } as const;
      const signatoryId = await keepReason(deps, request, words);
      const { by, at } = await whoAndWhen(deps, request);
      const input = { changeOrderId, documentReference, signedOn, signatoryId, by, at };
      return tellOrder(deps, request, recordCustomerApprovalUpdate, input);
    },
  });

  app.route({
    method: 'POST',
    url: '/v1/deals/:dealId/change-orders/:id/modification-accounting',
    schema: {
      tags: ['change orders'],
      summary: 'Answer how the change is accounted for; the treatment follows from the answers',
      params,
      body: accountingRequest,
      response: { 200: changeOrderSchema },
    },
    handler: async (request) => {
      const { id: changeOrderId } = await wholeOrder(deps, request);
      const { by, at } = await whoAndWhen(deps, request);
      return tellOrder(deps, request, answerAccountingUpdate, { changeOrderId, answers: request.body, by, at });
    },
  });

  app.route({
    method: 'POST',
    url: '/v1/deals/:dealId/change-orders/:id/withdrawal',
    schema: {
      tags: ['change orders'],
      summary: 'Take a change order back, which only its requester may',
      params,
      body: changeWithdrawalRequest,
      response: { 200: changeOrderSchema },
    },
    handler: async (request) => {
      const { id: changeOrderId, requestedBy } = await orderOf(deps, request);
      const { by, at } = await whoAndWhen(deps, request);
      if (requestedBy !== by) throw new ApiError('RequesterRequired', `requested by ${requestedBy}`);
      const words = { reason: request.body.reason, purpose: 'withdrawal', subject: `change-order/${changeOrderId}`, origin: changeOrderId } as const; // prettier-ignore
      const reasonId = await keepReason(deps, request, words);
      return tellOrder(deps, request, withdrawChangeUpdate, { changeOrderId, reasonId, by, at });
    },
  });
}

/** Who speaks for an order speaks for every line that it touches. */
async function wholeOrder(deps: RouteDeps, request: FastifyRequest): Promise<ChangeOrderDetail> {
  const order = await orderOf(deps, request);
  const deal = await dealOf(deps, request, (request as OnOrder).params.dealId);
  const whole = await readChangeOrder(deps.db, { kind: 'group' }, deal.dealId, order.id);
  if (whole?.changes.length !== order.changes.length) throw new ApiError('ScopeTooSmall', 'the change order touches lines of others');
  return order;
}

async function whoAndWhen(deps: RouteDeps, request: FastifyRequest): Promise<{ by: string; at: string }> {
  return { by: request.principal.id, at: await deps.clock.now() };
}

/** Tells the deal's run of something about an order, and answers how the order stands then. */
async function tellOrder<Input extends { readonly changeOrderId: string; readonly at: string }>(
  deps: RouteDeps,
  request: FastifyRequest,
  definition: Message<void, Input>['definition'],
  input: Input,
): Promise<ChangeOrderDetail> {
  const { dealId } = (request as OnOrder).params;
  const message = { definition, workflowId: dealWorkflowId(dealId), id: `${definition.name}/${input.changeOrderId}`, input };
  return askRun(deps, request, message, { done: () => orderOf(deps, request), noRun: () => refuseWithoutRun(deps, request, dealId) });
}
