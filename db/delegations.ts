import { sql, type Kysely, type Selectable, type Transaction } from 'kysely';
import { type AskedDelegation, DEFAULT_TERMS, type DelegationTerms, type GivingFacts } from '../domain/approval/giving';
import { type StandingDelegation } from '../domain/approval/settling';
import { type StandIn } from '../domain/approval/absence';
import { type Instant } from '../domain/deal/terms';
import { type Money, parseMoney } from '../domain/money';
import { isViolation, type Violation } from '../domain/violation';
import { directory } from './directory';
import { policyAt } from './policies';
import { type DB } from './types';

/** Delegations are given and decided one at a time, so that two of them together make no loop. */
export async function lockDelegations(trx: Transaction<DB>): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended('delegations', 0))`.execute(trx);
}

/** What the approval policy of the group says of delegations on the day. */
export async function delegationTerms(db: Kysely<DB>, at: Instant): Promise<DelegationTerms | Violation> {
  const policy = await policyAt(db, 'approval', at.slice(0, 10));
  if (policy === null) return { violation: 'PolicyNotInForce', detail: `no approval policy is in force on ${at.slice(0, 10)}` };
  const { groupCurrency, delegation } = policy.body;
  const { aboveAmount, aboveDays } = delegation.secondPerson ?? DEFAULT_TERMS.secondPerson;
  const bound = parseMoney(String(aboveAmount), groupCurrency);
  if (isViolation(bound)) return bound;
  const { maxDepth, longestDays = DEFAULT_TERMS.longestDays } = delegation;
  return { maxDepth, groupCurrency, longestDays, secondPerson: { aboveAmount: bound, aboveDays } };
}

/** Who holds the role, whether the delegate is there, and what else was given of the role. */
export async function givingFacts(trx: Transaction<DB>, { role, delegate, from }: AskedDelegation): Promise<GivingFacts> {
  const people = await directory(trx);
  const seats = people.committees.filter((each) => each.role === role).flatMap(({ members }) => members);
  const held = [...people.assignments.filter((each) => each.role === role).map(({ userId }) => userId), ...seats];
  const person = await trx.selectFrom('app_user').select('id').where('id', '=', delegate).where('active', '=', true).executeTakeFirst();
  const others = await openDelegations(trx).where('given.role', '=', role).where('given.valid_until', '>', from).execute();
  const given = others.map((row) => ({
    ...row,
    delegator: row.delegator_id,
    delegate: row.delegate_id,
    from: row.valid_from,
    until: row.valid_until,
  }));
  return {
    delegateIsActive: person !== undefined,
    holders: [...new Set(held)].map((userId) => ({ userId, limit: people.limits[userId] ?? null })),
    counting: given.filter(({ state }) => state === 'active'),
    requested: given.filter(({ state }) => state === 'requested'),
  };
}

/** Who gets a right of somebody else now or later, by what is not over at the moment. */
export async function standIns(db: Kysely<DB>, at: Instant): Promise<StandIn[]> {
  const rows = await openDelegations(db).where('given.valid_until', '>', at).execute();
  return rows.map((row) => ({ delegator: row.delegator_id, delegate: row.delegate_id, whenAway: row.when_away }));
}

/** In force or asked for, between active people. */
function openDelegations(db: Kysely<DB>) {
  return db
    .selectFrom('delegation as given')
    .innerJoin('app_user as delegator', 'delegator.id', 'given.delegator_id')
    .innerJoin('app_user as delegate', 'delegate.id', 'given.delegate_id')
    .select([
      'given.id',
      'given.delegator_id',
      'given.delegate_id',
      'given.valid_from',
      'given.valid_until',
      'given.when_away',
      'given.state',
    ])
    .where('delegator.active', '=', true)
    .where('delegate.active', '=', true)
    .where('given.state', 'in', ['requested', 'active']);
}

export type DelegationRow = Selectable<DB['delegation']>;

/** The row, locked until the transaction ends. */
export async function lockedDelegation(trx: Transaction<DB>, id: string): Promise<DelegationRow | undefined> {
  return trx.selectFrom('delegation').selectAll().where('id', '=', id).forUpdate().executeTakeFirst();
}

/** A row as the rules know it. */
export function standing(row: DelegationRow): StandingDelegation {
  const { ceiling_minor: minor, ceiling_currency: currency } = row;
  const ceiling: Money | null = minor === null || currency === null ? null : { minor, currency };
  return {
    delegator: row.delegator_id,
    delegate: row.delegate_id,
    role: row.role,
    ceiling,
    from: row.valid_from,
    until: row.valid_until,
    state: row.state as StandingDelegation['state'],
    requestedAt: row.requested_at,
  };
}

export interface NewDelegation extends AskedDelegation {
  readonly id: string;
  readonly whenAway: boolean;
  readonly state: 'active' | 'requested';
  readonly reasonId: string;
  readonly requestedAt: Instant;
}

export async function insertDelegation(trx: Transaction<DB>, given: NewDelegation): Promise<void> {
  await trx
    .insertInto('delegation')
    .values({
      id: given.id,
      delegator_id: given.delegator,
      delegate_id: given.delegate,
      role: given.role,
      ceiling_minor: given.ceiling?.minor ?? null,
      ceiling_currency: given.ceiling?.currency ?? null,
      valid_from: given.from,
      valid_until: given.until,
      when_away: given.whenAway,
      state: given.state,
      reason: null,
      reason_id: given.reasonId,
      requested_at: given.requestedAt,
    })
    .execute();
}
