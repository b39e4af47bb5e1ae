import { type FastifyRequest } from 'fastify';
import { readDealState } from '../db/reads/deals';
import { covers } from '../domain/access';
import { type RouteDeps } from './deps';
import { ApiError } from './errors';

type DealState = NonNullable<Awaited<ReturnType<typeof readDealState>>>;

const FINISHED = ['closed', 'declined', 'cancelled'];

/** A deal in the caller's scope; throws `DealUnknown`. */
export async function knownDeal(deps: RouteDeps, request: FastifyRequest, dealId: string): Promise<DealState> {
  const deal = await readDealState(deps.db, request.scope, dealId);
  if (deal === undefined) throw new ApiError('DealUnknown', dealId);
  return deal;
}

/** One that has not ended; throws `DealFinished` too. */
export async function openDeal(deps: RouteDeps, request: FastifyRequest, dealId: string): Promise<DealState> {
  const deal = await knownDeal(deps, request, dealId);
  refuseFinished(deal);
  return deal;
}

export function refuseFinished({ state }: DealState): void {
  if (FINISHED.includes(state)) throw new ApiError('DealFinished', `the deal is ${state}`);
}

/** What speaks for every line of a deal is for its lead entity; another one would write or see what it may not read. */
export function requireLead(request: FastifyRequest, { leadEntityId }: DealState): void {
  if (!covers(request.scope, [leadEntityId])) throw new ApiError('ScopeTooSmall', `the deal is led by ${leadEntityId}`);
}
