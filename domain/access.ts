/*
 * Who may do and see what: role × scope × field (DESIGN 10). A role grants permissions, an assignment says where the role is held, and the
 * scope of a permission becomes a condition of every SQL read and write.
 */

import { type Permission } from './access-permissions';
import { rightsOf } from './access-roles';

export { type Permission } from './access-permissions';
export { knownRoles } from './access-roles';

/** The whole group, or a list of legal entities; an empty list is nowhere. */
export type Scope = { readonly kind: 'group' } | { readonly kind: 'entities'; readonly entityIds: readonly string[] };

/** A role held somewhere. */
export interface RoleAssignment {
  readonly role: string;
  readonly scope: Scope;
}

/** Which permission a field needs beyond the one that shows its row. */
const FIELD_RIGHTS: Readonly<Record<string, Permission>> = {
  cost: 'cost.read',
  costRate: 'cost.read',
  margin: 'margin.read',
  marginPercent: 'margin.read',
  pay: 'pay.read',
  personalData: 'personal-data.read',
};

/** What a set of roles may do, sorted; a role that nobody defined grants nothing. */
export function permissionsOf(roles: readonly string[]): Permission[] {
  return [...new Set(roles.flatMap((role) => rightsOf(role)?.permissions ?? []))].sort();
}

/** Where a permission holds: the union over the assignments whose role grants it; null = nowhere, so nothing is shown or done. */
export function scopeFor(permission: Permission, assignments: readonly RoleAssignment[]): Scope | null {
  const scopes = assignments.filter(({ role }) => rightsOf(role)?.permissions.includes(permission) ?? false).map(({ scope }) => scope);
  if (scopes.some((scope) => scope.kind === 'group')) return { kind: 'group' };
  const entityIds = [...new Set(scopes.flatMap((scope) => (scope.kind === 'entities' ? scope.entityIds : [])))].sort();
  return entityIds.length === 0 ? null : { kind: 'entities', entityIds };
}

/** True where the scope reaches at least one of the entities of a thing; null reaches nothing. */
export function covers(scope: Scope | null, entityIds: readonly string[]): boolean {
  if (scope === null) return false;
  return scope.kind === 'group' || entityIds.some((entityId) => scope.entityIds.includes(entityId));
}

/** True where the assignments show a field of a thing that belongs to `entityIds`; fields without a right of their own need none. */
export function mayReadField(field: string, assignments: readonly RoleAssignment[], entityIds: readonly string[]): boolean {
  const permission = Object.hasOwn(FIELD_RIGHTS, field) ? FIELD_RIGHTS[field] : undefined;
  return permission === undefined || covers(scopeFor(permission, assignments), entityIds);
}

/** Where a role works when it is given to somebody of a home entity: functions shared by the group everywhere, others at home. */
export function scopeOfRole(role: string, homeEntityId: string): Scope {
  return rightsOf(role)?.reach === 'group' ? { kind: 'group' } : { kind: 'entities', entityIds: [homeEntityId] };
}
