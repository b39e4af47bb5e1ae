import { type FastifyRequest } from 'fastify';
import { type z } from 'zod';
import { type secondPersonDecision } from '../contracts/api/second-person';
import { type TextPurpose } from '../db/free-text';
import { type RouteDeps } from './deps';
import { ApiError } from './errors';
import { idFor } from './idempotency';
import { keepReason } from './texts';

/** What one person asks for and a second person decides on: where its words are kept. */
interface AskedThing {
  readonly purpose: TextPurpose;
  readonly id: string;
}

/** The person who speaks; `why` says why an integration does not. Throws `PersonRequired`. */
export function personOf({ principal }: Pick<FastifyRequest, 'principal'>, why: string): string {
  if (principal.kind !== 'user') throw new ApiError('PersonRequired', why);
  return principal.id;
}

/** Why somebody asks, kept under an id: what is asked for is its own origin. */
export async function whyAsked(deps: RouteDeps, request: FastifyRequest, { purpose, id }: AskedThing, reason: string): Promise<string> {
  return (await keepReason(deps, request, { reason, purpose, subject: `${purpose}/${id}`, origin: id })) ?? '';
}

/** What the second person says, their words kept under an id. A refusal says why: throws `ReasonMissing`. */
export async function secondOpinion(
  deps: RouteDeps,
  request: FastifyRequest,
  { purpose, id }: AskedThing,
  { verdict, reason }: z.infer<typeof secondPersonDecision>,
): Promise<{ readonly verdict: 'grant' | 'refuse'; readonly reasonId: string | null }> {
  if (verdict === 'refuse' && (reason ?? '') === '') throw new ApiError('ReasonMissing', 'a refusal says why');
  const origin = idFor(request, `${purpose}-decision`);
  return { verdict, reasonId: await keepReason(deps, request, { reason, purpose, subject: `${purpose}/${id}`, origin }) };
}
