import { type Kysely } from 'kysely';
import { delegations } from '../../db/directory';
import { policyAt } from '../../db/policies';
import { type DB } from '../../db/types';
import { type Permission, permissionsOf, type RoleAssignment, type Scope, scopeFor } from '../../domain/access';
import { isActive, resolveActingFor } from '../../domain/approval/delegation';
import { type Instant } from '../../domain/deal/terms';
import { isViolation } from '../../domain/violation';
import { type BusinessClock } from '../../runtime/business-clock';

/** Who asks: a person or an integration, with the roles held and where. `delegated` roles count for approvals only. */
export interface Principal {
  readonly kind: 'user' | 'api-key';
  readonly id: string;
  readonly assignments: readonly RoleAssignment[];
  readonly delegated: readonly RoleAssignment[];
}

/** A name of the principal that no other has, for idempotency keys, logs and audit. */
export function principalName(principal: Principal): string {
  return principal.kind === 'user' ? principal.id : `api-key:${principal.id}`;
}

/** What a delegate may do in the right of another: decide, and pass the right on as far as the policy allows. */
const BY_DELEGATION: readonly Permission[] = ['approval.read', 'approval.decide', 'delegation.give'];

/** Where the principal may see a field of what is shown for a decision: a delegate sees what the delegator would. */
export function scopeInApprovals(principal: Principal, permission: Permission): Scope | null {
  return scopeFor(permission, [...principal.assignments, ...principal.delegated]);
}

/** Where the principal holds any of some permissions; null is nowhere. */
export function scopeOf(principal: Principal, permissions: readonly Permission[]): Scope | null {
  const scopes = permissions
    .map((permission) =>
      scopeFor(permission, BY_DELEGATION.includes(permission) ? [...principal.assignments, ...principal.delegated] : principal.assignments),
    )
    .filter((scope) => scope !== null);
  if (scopes.some((scope) => scope.kind === 'group')) return { kind: 'group' };
  const entityIds = [...new Set(scopes.flatMap((scope) => (scope.kind === 'entities' ? scope.entityIds : [])))].sort();
  return entityIds.length === 0 ? null : { kind: 'entities', entityIds };
}

/** Everything the principal may do somewhere. */
export function permissionsOfPrincipal(principal: Principal): string[] {
  return permissionsOf(principal.assignments.map(({ role }) => role));
}

/**
 * An active person with roles, committee seats and the delegations that are active now; null where nobody of that id is known, or the
 * person has left. What a person who has left gave to others counts no more.
 */
export async function userPrincipal(db: Kysely<DB>, clock: BusinessClock, userId: string): Promise<Principal | null> {
  const user = await db.selectFrom('app_user').select('id').where('id', '=', userId).where('active', '=', true).executeTakeFirst();
  if (user === undefined) return null;
  const held = await assignmentsOf(db, userId);
  const one = await db.selectFrom('delegation').select('id').where('delegate_id', '=', userId).limit(1).executeTakeFirst();
  const delegated = one === undefined ? [] : await delegatedTo(db, userId, await clock.now());
  return { kind: 'user', id: userId, assignments: held, delegated };
}

/** The roles that reach a person over chains of delegations as deep as the policy in force allows, where their holders hold them. */
async function delegatedTo(db: Kysely<DB>, userId: string, at: Instant): Promise<RoleAssignment[]> {
  const active = (await delegations(db, at)).filter((each) => isActive(each, at));
  const maxDepth = (await policyAt(db, 'approval', at.slice(0, 10)))?.body.delegation.maxDepth ?? 0;
  const roles = new Set(active.filter(({ delegate }) => delegate === userId).map(({ role }) => role));
  const found: RoleAssignment[] = [];
  for (const delegator of new Set(active.filter((each) => roles.has(each.role)).map((each) => each.delegator))) {
    if (delegator === userId) continue;
    const holder = [{ userId: delegator, limit: null }];
    const reaches = (role: string) => !isViolation(resolveActingFor(userId, role, active, holder, at, null, { maxDepth, barred: [] }));
    found.push(...(await assignmentsOf(db, delegator)).filter(({ role }) => roles.has(role) && reaches(role)));
  }
  return found;
}

async function assignmentsOf(db: Kysely<DB>, userId: string): Promise<RoleAssignment[]> {
  const roles = await db.selectFrom('role_assignment').selectAll().where('user_id', '=', userId).execute();
  const seats = await db.selectFrom('committee_member').select('role').where('user_id', '=', userId).execute();
  return [
    ...roles.map((row): RoleAssignment => ({ role: row.role, scope: scopeFromRow(row.scope_kind, [row.scope_id]) })),
    ...seats.map(({ role }): RoleAssignment => ({ role, scope: { kind: 'group' } })),
  ];
}

export function scopeFromRow(kind: string, ids: readonly string[]): Scope {
  return kind === 'group' ? { kind: 'group' } : { kind: 'entities', entityIds: ids };
}
