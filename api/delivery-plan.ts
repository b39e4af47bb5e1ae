import { type FastifyRequest } from 'fastify';
import { type DeliveryPlan, lockPlan, planStream, planTag, standingPlan } from '../db/delivery-plan';
import { inboxEventOf } from '../db/inbox';
import { type RouteDeps } from './deps';
import { ApiError } from './errors';
import { idFor } from './idempotency';
import { putIntake } from './intake';
import { matchedTags, refuseOtherTag } from './preconditions';

/**
 * Takes a plan into the inbox where the one that it replaces still stands; looked at and written in one transaction, so that of two
 * editors who read the same plan one is told. Without If-Match nobody's plan is replaced; `*` replaces whatever stands.
 */
export async function putPlan(
  deps: RouteDeps,
  request: FastifyRequest,
  dealId: string,
  { tasks, subcontractorBudgets }: DeliveryPlan,
): Promise<{ inboxEventId: string }> {
  const tags = matchedTags(request);
  if (tags === null) throw new ApiError('PreconditionRequired', 'a delivery plan replaces the one before: If-Match says which');
  return deps.db.transaction().execute(async (trx) => {
    await lockPlan(trx, dealId);
    const eventId = idFor(request, 'delivery-plan');
    const taken = await inboxEventOf(trx, 'api', `delivery-plan/${eventId}`);
    const basedOn = taken === undefined ? baseOf(planTag(await standingPlan(trx, dealId)), tags) : basedOnOf(taken.payload);
    const facts = { dealId, tasks, basedOn, ...(subcontractorBudgets.length === 0 ? {} : { subcontractorBudgets }) };
    return putIntake({ db: trx, clock: deps.clock }, request, 'delivery-plan', planStream(dealId), facts, eventId);
  });
}

function baseOf(standing: string, tags: readonly string[] | 'any'): string | null {
  refuseOtherTag(tags, standing);
  return tags === 'any' ? null : standing;
}

/** The same request once more, after its answer was lost: it was let through already. */
function basedOnOf(payload: unknown): string | null {
  return (payload as { basedOn?: string | null }).basedOn ?? null;
}
