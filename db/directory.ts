import { sql, type Kysely } from 'kysely';
import { type Absence } from '../domain/approval/absence';
import { type Delegation } from '../domain/approval/delegation';
import { type PerformedDuty } from '../domain/approval/duties';
import { dutiesOfDecision } from '../domain/approval/duties';
import { type Directory } from '../domain/approval/holders';
import { type Instant } from '../domain/deal/terms';
import { type Money } from '../domain/money';
import { kept } from './master-memo';
import { type DB } from './types';

/** Who holds which role where, who sits on committees, and up to which amount each may approve. */
export function directory(db: Kysely<DB>): Promise<Directory> {
  return kept(db, 'directory', () => readDirectory(db));
}

async function readDirectory(db: Kysely<DB>): Promise<Directory> {
  const assignments = await db
    .selectFrom('role_assignment as held')
    .innerJoin('app_user as person', 'person.id', 'held.user_id')
    .select(['held.user_id as userId', 'held.role', 'held.scope_kind', 'held.scope_id'])
    .where('person.active', '=', true)
    .orderBy('held.user_id')
    .execute();
  const members = await db
    .selectFrom('committee_member as member')
    .innerJoin('app_user as person', 'person.id', 'member.user_id')
    .selectAll('member')
    .where('person.active', '=', true)
    .orderBy('member.user_id')
    .execute();
  const users = await db.selectFrom('app_user').select(['id', 'approval_limit_minor', 'approval_limit_currency']).execute();
  return {
    assignments: assignments.map((each) => ({
      userId: each.userId,
      role: each.role,
      entityId: each.scope_kind === 'entity' ? each.scope_id : null,
    })),
    committees: [...new Set(members.map((each) => each.role))].map((role) => {
      const seats = members.filter((each) => each.role === role);
      return {
        role,
        members: seats.map((each) => each.user_id),
        weights: Object.fromEntries(seats.map((each) => [each.user_id, each.weight])),
      };
    }),
    limits: Object.fromEntries(users.map((user) => [user.id, limitOf(user.approval_limit_minor, user.approval_limit_currency)])),
  };
}

/**
 * Every delegation from one active person to another that was granted or needed no grant and whose time it is, with the absences in which
 * it counts where it counts only then; which of them is active is decided by rule at that moment.
 */
export async function delegations(db: Kysely<DB>, at: Instant): Promise<Delegation[]> {
  const rows = await db
    .selectFrom('delegation as given')
    .innerJoin('app_user as delegator', 'delegator.id', 'given.delegator_id')
    .innerJoin('app_user as delegate', 'delegate.id', 'given.delegate_id')
    .selectAll('given')
    .select(awayOf)
    .where('delegator.active', '=', true)
    .where('delegate.active', '=', true)
    .where('given.state', 'in', ['active', 'ended'])
    .where('given.valid_from', '<=', at)
    .where('given.valid_until', '>', at)
    .orderBy('given.id')
    .execute();
  return rows.map((row) => ({
    delegationId: row.id,
    delegator: row.delegator_id,
    delegate: row.delegate_id,
    role: row.role,
    ceiling: limitOf(row.ceiling_minor, row.ceiling_currency),
    from: row.valid_from,
    until: row.valid_until,
    onlyDuring: row.away,
  }));
}

/** What is known of the absences of the delegator, null where the delegation counts without; for queries of `delegation as given`. */
export const awayOf = sql<Absence[] | null>`case when given.when_away then coalesce((
    select json_agg(json_build_object('from', away_from, 'until', away_until))
      from absence where user_id = given.delegator_id and replaced_at is null), '[]') end`.as('away');

/** What people have done on a deal so far: sold it, asked for decisions, decided. */
export async function dutiesOnDeal(db: Kysely<DB>, dealId: string): Promise<PerformedDuty[]> {
  const { rows } = await sql<Done>`
    select 'sold' as what, 'deal' as subject_kind, id::text as subject_id, seller_id as by, null as on_behalf_of
      from deal where id = ${dealId}::uuid and seller_id is not null
    union all
    select 'asked', subject_kind, subject_id, requested_by, null from approval where deal_id = ${dealId}::uuid
    union all
    select 'granted', approval.subject_kind, approval.subject_id, decision.decided_by, decision.on_behalf_of
      from approval join approval_decision as decision on decision.approval_id = approval.id
     where approval.deal_id = ${dealId}::uuid and decision.verdict = 'grant'`.execute(db);
  return rows.flatMap(({ what, subject_kind: kind, subject_id: subjectId, by, on_behalf_of: onBehalfOf }) => {
    const duties = what === 'sold' ? ['deal.sell'] : what === 'asked' ? [`${kind}.request`] : dutiesOfDecision(kind);
    return duties.map((duty) => ({ duty, subjectId, by, onBehalfOf }));
  });
}

interface Done {
  readonly what: 'sold' | 'asked' | 'granted';
  readonly subject_kind: string;
  readonly subject_id: string;
  readonly by: string;
  readonly on_behalf_of: string | null;
}

/** The calendar on which a person's working time counts. */
export async function calendarIdOfUser(db: Kysely<DB>, userId: string): Promise<string> {
  return (await db.selectFrom('app_user').select('calendar_id').where('id', '=', userId).executeTakeFirstOrThrow()).calendar_id;
}

function limitOf(minor: number | null, currency: string | null): Money | null {
  return minor === null || currency === null ? null : { minor, currency };
}
