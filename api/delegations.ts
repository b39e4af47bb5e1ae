import { type Kysely, type Transaction } from 'kysely';
import { appendAudit } from '../db/audit';
import {
  type DelegationRow,
  delegationTerms,
  givingFacts,
  insertDelegation,
  lockDelegations,
  lockedDelegation,
  type NewDelegation,
  standing,
} from '../db/delegations';
import { type DB } from '../db/types';
import { giveDelegation } from '../domain/approval/giving';
import { decideDelegation, endDelegation } from '../domain/approval/settling';
import { type Instant } from '../domain/deal/terms';
import { ApiError, orRefused } from './errors';

/** Gives a delegation with its audit entry; the one of this id once more changes nothing. */
export function give(db: Kysely<DB>, asked: Omit<NewDelegation, 'state' | 'requestedAt'>, at: Instant): Promise<void> {
  return db.transaction().execute(async (trx) => {
    await lockDelegations(trx);
    if ((await lockedDelegation(trx, asked.id)) !== undefined) return;
    const state = orRefused(giveDelegation(asked, await givingFacts(trx, asked), orRefused(await delegationTerms(trx, at)), at));
    await insertDelegation(trx, { ...asked, state, requestedAt: at });
    const { id, delegator, reasonId, ...terms } = asked;
    await audit(trx, {
      action: `delegation.${state === 'active' ? 'given' : 'requested'}`,
      id,
      delegator,
      by: delegator,
      at,
      details: { ...terms, state },
      reasonId,
    });
  });
}

/** Grants or refuses a delegation with its audit entry; the same by the same person once more changes nothing. */
export function decide(
  db: Kysely<DB>,
  id: string,
  { reasonId, ...decision }: { readonly by: string; readonly verdict: 'grant' | 'refuse'; readonly reasonId: string | null },
  at: Instant,
): Promise<void> {
  return db.transaction().execute(async (trx) => {
    await lockDelegations(trx);
    const row = await mustBeThere(trx, id);
    if (row.decided_by === decision.by && (row.state === 'refused') === (decision.verdict === 'refuse')) return;
    const given = standing(row);
    const facts = await givingFacts(trx, given);
    const { state, from } = orRefused(decideDelegation(given, decision, facts, orRefused(await delegationTerms(trx, at)), at));
    const decided = { state, valid_from: from, decided_by: decision.by, decided_at: at, decision_reason_id: reasonId };
    await trx.updateTable('delegation').set(decided).where('id', '=', id).execute();
    const action = `delegation.${state === 'active' ? 'granted' : 'refused'}`;
    await audit(trx, { action, id, delegator: given.delegator, by: decision.by, at, details: { from, until: given.until }, reasonId });
  });
}

/** Ends a delegation with its audit entry; one that was ended once more changes nothing. */
export function end(db: Kysely<DB>, id: string, by: string, at: Instant): Promise<void> {
  return db.transaction().execute(async (trx) => {
    await lockDelegations(trx);
    const row = await mustBeThere(trx, id);
    if (row.closed_at !== null) return;
    const { state, until } = orRefused(endDelegation(standing(row), at));
    const closed = { state, valid_until: until, closed_by: by, closed_at: at };
    await trx.updateTable('delegation').set(closed).where('id', '=', id).execute();
    await audit(trx, { action: `delegation.${state}`, id, delegator: row.delegator_id, by, at, details: { until }, reasonId: null });
  });
}

async function mustBeThere(trx: Transaction<DB>, id: string): Promise<DelegationRow> {
  const row = await lockedDelegation(trx, id);
  if (row === undefined) throw new ApiError('DelegationUnknown', id);
  return row;
}

interface Done {
  readonly action: string;
  readonly id: string;
  readonly delegator: string;
  readonly by: string;
  readonly at: Instant;
  readonly details: Readonly<Record<string, unknown>>;
  readonly reasonId: string | null;
}

/** Of the entity at which the delegator is at home. */
async function audit(trx: Transaction<DB>, { action, id, delegator, by, at, details, reasonId }: Done): Promise<void> {
  const home = trx.selectFrom('app_user').select('entity_id').where('id', '=', delegator);
  const { entity_id: entityId } = await home.executeTakeFirstOrThrow();
  const texts = { reason: reasonId };
  await appendAudit(trx, {
    stream: 'delegations',
    subject: `delegation/${id}`,
    actor: by,
    action,
    at,
    entityId,
    details: { delegator, ...details },
    texts,
  });
}
