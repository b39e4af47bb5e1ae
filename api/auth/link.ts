import { type FastifyRequest } from 'fastify';
import { type KeptLink, linkOf } from '../../db/decision-links';
import { type ApiDeps } from '../deps';
import { ApiError } from '../errors';
import { type Principal, userPrincipal } from './principal';

/**
 * The link of an address and the person it was sent to, who is asked nothing else. Throws `LinkUnknown`, and `LinkRevoked` where that person
 * has left.
 */
export async function personOfLink(
  { db, clock }: Pick<ApiDeps, 'db' | 'clock'>,
  request: FastifyRequest,
): Promise<{ link: KeptLink; principal: Principal }> {
  const link = await linkOf(db, (request.params as { token: string }).token);
  if (link === undefined) throw new ApiError('LinkUnknown', 'no link has this address');
  const principal = await userPrincipal(db, clock, link.userId);
  if (principal === null) throw new ApiError('LinkRevoked', 'whoever it was sent to is no active user');
  return { link, principal };
}
