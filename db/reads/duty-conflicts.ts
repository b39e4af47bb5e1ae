import { sql, type Kysely, type RawBuilder } from 'kysely';
import { type Scope } from '../../domain/access';
import { dutyRulesOf, type DutyRule } from '../../domain/approval/duties';
import { forbiddenRoles, type AllowedDuty, type ForbiddenRoles } from '../../domain/approval/duty-roles';
import { type PolicyRule } from '../../domain/approval/policy';
import { type Instant } from '../../domain/deal/terms';
import { policyAt } from '../policies';
import { type DB } from '../types';
import { keyAt, type Page, pageOf, type PageRequest } from './page';

/** Where a role comes from; the delegator is the person who passed it on. */
export type RoleSource =
  | { readonly kind: 'assignment'; readonly scope: 'group' | 'entity'; readonly scopeId: string }
  | { readonly kind: 'committee' }
  | { readonly kind: 'delegation'; readonly delegationId: string; readonly delegatorId: string };

export interface ConflictSide {
  readonly duty: string;
  readonly role: string;
  readonly source: RoleSource;
}

/** Somebody whose roles in one entity, or (null) everywhere, allow both sides of a rule of duties. */
export interface DutyConflict {
  readonly userId: string;
  readonly entityId: string | null;
  readonly ruleId: string;
  readonly text: string;
  readonly policy: { readonly kind: 'approval' | 'control-points'; readonly versionId: string; readonly version: number };
  readonly first: ConflictSide;
  readonly last: ConflictSide;
}

interface Row {
  readonly userId: string;
  readonly entityId: string;
  readonly position: number;
  readonly firstKey: string;
  readonly firstFrom: string;
  readonly lastKey: string;
  readonly lastFrom: string;
}

interface Filter {
  readonly entityId?: string | undefined;
  readonly userId?: string | undefined;
  readonly at: Instant;
}

/**
 * People whose roles, own and by delegations that are active at a moment, allow both sides of a forbidden pair, before it bites (R-246, R-247);
 * by person. What somebody holds everywhere is in everybody's scope. Roles are gathered by person first, so that pairs are looked for
 * person by person until the page is full.
 */
export async function listDutyConflicts(db: Kysely<DB>, scope: Scope, filter: Filter, page: PageRequest): Promise<Page<DutyConflict>> {
  const { pairs, policyOf, maxDepth } = await pairsInForce(db, filter.at);
  if (pairs.length === 0) return { rows: [], next: null };
  const { rows } = await sql<Row>`
    with recursive ${pairsTable(pairs)}, ${heldTable(pairs, filter.at, maxDepth)}, ${peopleTable(pairs, filter, page)}
    select conflict.*
      from (select * from people order by "userId") as somebody
      cross join lateral (
        select somebody."userId", coalesce(nullif(first.entity_id, ''), last.entity_id) as "entityId", pair.position,
               first.key as "firstKey", first.delegator_id as "firstFrom", last.key as "lastKey", last.delegator_id as "lastFrom"
          from ${rolesOf('first')}
          join pair on pair.first_role = first.role and ${counts('first')}
          join ${rolesOf('last')} on last.role = pair.last_role and ${counts('last')}
         where first.entity_id = '' or last.entity_id in ('', first.entity_id)
      ) as conflict
     where ${inScope(scope, filter)} and ${after(page)}
     order by "userId", "entityId" collate "C", position, "firstKey" collate "C", "lastKey" collate "C"
     limit ${page.limit + 1}`.execute(db);
  return pageOf(rows, page, keysOf, (row) => conflictOf(pairs, policyOf, row));
}

/** The pairs of roles that the policies in force on the day forbid, and which version forbids them. */
async function pairsInForce(db: Kysely<DB>, at: Instant) {
  const date = at.slice(0, 10);
  const [firm, standard] = [await policyAt(db, 'approval', date), await policyAt(db, 'control-points', date)];
  const ofFirm: readonly DutyRule[] = firm?.body.segregationOfDuties ?? [];
  const matrix = (firm?.body.matrix ?? []) as readonly PolicyRule[];
  const further = ((standard?.body.matrix ?? []) as readonly PolicyRule[]).filter(
    ({ subject }) => !matrix.some((rule) => rule.subject === subject),
  );
  const escalateTo = [...(firm?.body.sla.escalateTo ?? []), ...(standard?.body.sla.escalateTo ?? [])].filter((to) => to !== 'role');
  const rules = dutyRulesOf(ofFirm, standard?.body.segregationOfDuties ?? []);
  const policyOf = (rule: DutyRule): DutyConflict['policy'] => {
    const kind = ofFirm.includes(rule) ? 'approval' : 'control-points';
    const policy = kind === 'approval' ? firm : standard;
    if (policy === null) throw new Error('a rule of duties comes from a policy');
    return { kind, versionId: policy.id, version: policy.version };
  };
  const pairs = forbiddenRoles(rules, { matrix: [...matrix, ...further], escalateTo: [...new Set(escalateTo)] });
  return { pairs, policyOf, maxDepth: firm?.body.delegation.maxDepth ?? 0 };
}

function pairsTable(pairs: readonly ForbiddenRoles[]): RawBuilder<unknown> {
  const column = <T>(of: (pair: ForbiddenRoles) => T): T[] => pairs.map(of);
  return sql`pair as (
    select * from unnest(
      ${column((pair) => pair.first.role)}::text[], ${column((pair) => pair.first.ownOnly)}::boolean[], ${column((pair) => pair.first.groupOnly)}::boolean[],
      ${column((pair) => pair.last.role)}::text[], ${column((pair) => pair.last.ownOnly)}::boolean[], ${column((pair) => pair.last.groupOnly)}::boolean[]
    ) with ordinality as pair (first_role, first_own, first_group, last_role, last_own, last_group, position))`;
}

/** Roles of active people: assigned, by a seat, and over chains of active delegations as deep as the policy allows, without loops (R-068). */
function heldTable(pairs: readonly ForbiddenRoles[], at: Instant, maxDepth: number): RawBuilder<unknown> {
  const roles = [...new Set(pairs.flatMap(({ first, last }) => [first.role, last.role]))];
  return sql`held (user_id, role, entity_id, key, delegator_id, path) as (
    select own.user_id, own.role, own.entity_id, own.key, '', array[own.user_id]
      from (
        select user_id, role, case scope_kind when 'entity' then scope_id else '' end as entity_id, scope_kind || '/' || scope_id as key
          from role_assignment
        union all
        select user_id, role, '', 'committee' from committee_member
      ) as own
      join app_user as person on person.id = own.user_id and person.active
     where own.role = any(${roles}::text[])
    union all
    select given.delegate_id, held.role, held.entity_id, 'delegation/' || given.id, given.delegator_id, held.path || given.delegate_id
      from held
      join delegation as given on given.delegator_id = held.user_id and given.role = held.role
       and given.state in ('active', 'ended') and given.valid_from <= ${at}::timestamptz and ${at}::timestamptz < given.valid_until
      join app_user as person on person.id = given.delegate_id and person.active
     where cardinality(held.path) <= ${maxDepth} and given.delegate_id <> all(held.path)
  )`;
}

/** Everybody who holds roles of both sides, with all of these, from the person on with whom the page begins. */
function peopleTable(pairs: readonly ForbiddenRoles[], { userId = null }: { userId?: string | null | undefined }, page: PageRequest) {
  const begins = page.after === null ? '' : keyAt(page, 0);
  return sql`people as (
    select user_id collate "C" as "userId", array_agg(role) as roles, array_agg(entity_id) as entities, array_agg(key) as keys,
           array_agg(delegator_id) as delegators
      from held
     where user_id collate "C" >= ${begins} and (${userId}::text is null or user_id = ${userId}::text)
     group by user_id
    having array_agg(role) && ${pairs.map(({ first }) => first.role)}::text[] and array_agg(role) && ${pairs.map(({ last }) => last.role)}::text[]
  )`;
}

function rolesOf(side: 'first' | 'last'): RawBuilder<unknown> {
  return sql`unnest(somebody.roles, somebody.entities, somebody.keys, somebody.delegators)
    as ${sql.ref(side)} (role, entity_id, key, delegator_id)`;
}

function counts(side: 'first' | 'last'): RawBuilder<unknown> {
  return sql`not (${sql.ref(`pair.${side}_own`)} and ${sql.ref(`${side}.delegator_id`)} <> '')
    and not (${sql.ref(`pair.${side}_group`)} and ${sql.ref(`${side}.entity_id`)} <> '')`;
}

function inScope(scope: Scope, { entityId = null }: { entityId?: string | null | undefined }): RawBuilder<unknown> {
  const entityIds = scope.kind === 'group' ? null : scope.entityIds;
  return sql`("entityId" = '' or ((${entityIds}::text[] is null or "entityId" = any(${entityIds}::text[]))
    and (${entityId}::text is null or "entityId" = ${entityId}::text)))`;
}

function after({ after: keys }: PageRequest): RawBuilder<unknown> {
  if (keys === null) return sql`true`;
  const [userId, entityId, position, firstKey, lastKey] = keys;
  return sql`(conflict."userId", "entityId" collate "C", position, "firstKey" collate "C", "lastKey" collate "C")
    > (${userId}::text, ${entityId}::text, ${position}::bigint, ${firstKey}::text, ${lastKey}::text)`;
}

function keysOf({ userId, entityId, position, firstKey, lastKey }: Row): string[] {
  return [userId, entityId, String(position), firstKey, lastKey];
}

function conflictOf(pairs: readonly ForbiddenRoles[], policyOf: (rule: DutyRule) => DutyConflict['policy'], row: Row): DutyConflict {
  const pair = pairs[row.position - 1];
  if (pair === undefined) throw new Error(`there is no pair ${row.position}`);
  const { rule, first, last } = pair;
  const side = ({ duty, role }: AllowedDuty, key: string, from: string): ConflictSide => ({ duty, role, source: sourceOf(key, from) });
  return {
    userId: row.userId,
    entityId: row.entityId === '' ? null : row.entityId,
    ruleId: rule.id,
    text: rule.text,
    policy: policyOf(rule),
    first: side(first, row.firstKey, row.firstFrom),
    last: side(last, row.lastKey, row.lastFrom),
  };
}

function sourceOf(key: string, delegatorId: string): RoleSource {
  if (key === 'committee') return { kind: 'committee' };
  const id = key.slice(key.indexOf('/') + 1);
  if (delegatorId !== '') return { kind: 'delegation', delegationId: id, delegatorId };
  return { kind: 'assignment', scope: key.startsWith('group/') ? 'group' : 'entity', scopeId: id };
}
