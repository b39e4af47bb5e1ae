import { type FastifyRequest } from 'fastify';
import { type ChangeOrderDetail, readChangeOrder } from '../db/reads/change-orders';
import { readDealState } from '../db/reads/deals';
import { type RouteDeps } from './deps';
import { ApiError } from './errors';

/** A deal in the reader's scope. */
export interface KnownDeal {
  readonly dealId: string;
  readonly leadEntityId: string;
  readonly state: string;
}

export async function dealOf(deps: RouteDeps, request: FastifyRequest, dealId: string): Promise<KnownDeal> {
  const deal = await readDealState(deps.db, request.scope, dealId);
  if (deal === undefined) throw new ApiError('DealUnknown', dealId);
  return deal;
}

export type OnOrder = FastifyRequest<{ Params: { dealId: string; id: string } }>;

/** The change order that the address names, as far as the reader sees it. */
export async function orderOf(deps: RouteDeps, request: FastifyRequest): Promise<ChangeOrderDetail> {
  const { dealId, id } = (request as OnOrder).params;
  await dealOf(deps, request, dealId);
  const order = await readChangeOrder(deps.db, request.scope, dealId, id);
  if (order === undefined) throw new ApiError('ChangeOrderUnknown', id);
  return order;
}

/** No run took the message: the deal has ended meanwhile, or its run has not begun. */
export async function refuseWithoutRun(deps: RouteDeps, request: FastifyRequest, dealId: string): Promise<never> {
  const { state } = await dealOf(deps, request, dealId);
  if (['closed', 'declined', 'cancelled'].includes(state)) throw new ApiError('DealFinished', `the deal is ${state}`);
  throw new ApiError('DealNotStarted', 'the run of the deal is not there yet');
}
