import { type Kysely } from 'kysely';
import { type DB } from '../../db/types';
import { type Permission, permissionsOf, type RoleAssignment, type Scope, scopeFor } from '../../domain/access';
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

const BY_DELEGATION: readonly Permission[] = ['approval.read', 'approval.decide', 'margin.read', 'cost.read'];

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

/** An active person with roles, committee seats and the delegations that are active now; null where nobody of that id is known. */
export async function userPrincipal(db: Kysely<DB>, clock: BusinessClock, userId: string): Promise<Principal | null> {
  const user = await db.selectFrom('app_user').select('id').where('id', '=', userId).where('active', '=', true).executeTakeFirst();
  if (user === undefined) return null;
  const held = await assignmentsOf(db, userId);
  const delegations = await db.selectFrom('delegation').selectAll().where('delegate_id', '=', userId).execute();
  const now = delegations.length === 0 ? 0 : Date.parse(await clock.now());
  const active = delegations.filter((each) => Date.parse(each.valid_from) <= now && now < Date.parse(each.valid_until));
  const delegated: RoleAssignment[] = [];
  for (const each of active) delegated.push(...(await assignmentsOf(db, each.delegator_id)).filter(({ role }) => role === each.role));
  return { kind: 'user', id: userId, assignments: held, delegated };
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
