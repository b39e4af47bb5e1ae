/*
 * Who may do and see what: role × scope × field (DESIGN 10). A role grants permissions, an assignment says where the role is held, and the
 * scope of a permission becomes a condition of every SQL read and write.
 */

/** Fields with a right of their own are permissions too: `cost.read`, `margin.read`, `pay.read`, `personal-data.read`. */
export type Permission =
  | 'deal.read'
  | 'deal.cancel'
  | 'deal.complete-handoff'
  | 'change.request'
  | 'change.account'
  | 'crm.report'
  | 'sow.propose'
  | 'approval.read'
  | 'approval.decide'
  | 'project.read'
  | 'project.sign-off'
  | 'milestone.deliver'
  | 'milestone.respond'
  | 'usage.report'
  | 'time.report'
  | 'expense.report'
  | 'estimate.report'
  | 'invoice.read'
  | 'payment.read'
  | 'books.read'
  | 'bank-statement.import'
  | 'collection.manage'
  | 'dispute.resolve'
  | 'invoice.correct'
  | 'billing.release'
  | 'billing.waive'
  | 'master-data.read'
  | 'master-data.write'
  | 'policy.read'
  | 'policy.propose'
  | 'process.read'
  | 'run.read'
  | 'audit.read'
  | 'audit.export'
  | 'field-access.read'
  | 'inbox.read'
  | 'inbox.replay'
  | 'api-key.write'
  | 'webhook-endpoint.write'
  | 'notification.read'
  | 'notification.replay'
  | 'cost.read'
  | 'margin.read'
  | 'pay.read'
  | 'personal-data.read';

/** The whole group, or a list of legal entities; an empty list is nowhere. */
export type Scope = { readonly kind: 'group' } | { readonly kind: 'entities'; readonly entityIds: readonly string[] };

/** A role held somewhere. */
export interface RoleAssignment {
  readonly role: string;
  readonly scope: Scope;
}

interface RoleRights {
  /** Where the role works when it is given with one home entity: shared functions of the group see all of it. */
  readonly reach: 'group' | 'entity';
  readonly permissions: readonly Permission[];
}

const READ_DEAL: readonly Permission[] = ['deal.read', 'project.read', 'approval.read', 'master-data.read', 'policy.read'];
const READ_MONEY: readonly Permission[] = ['invoice.read', 'payment.read'];
const DECIDE: readonly Permission[] = ['approval.read', 'approval.decide'];
/** How the lifecycles go: counts and durations, no amounts and no people. For the owners of processes and those who answer for an entity. */
const CONTROL: readonly Permission[] = ['process.read'];
const MARGIN: readonly Permission[] = ['cost.read', 'margin.read'];

const ROLES: Readonly<Record<string, RoleRights>> = {
  'account-executive': {
    reach: 'entity',
    permissions: [...READ_DEAL, 'deal.cancel', 'deal.complete-handoff', 'change.request', 'sow.propose', 'milestone.respond'],
  },
  'sales-director': {
    reach: 'group',
    permissions: [...READ_DEAL, ...DECIDE, ...CONTROL, 'deal.cancel', 'deal.complete-handoff', 'margin.read'],
  },
  'delivery-director': {
    reach: 'group',
    permissions: [
      ...READ_DEAL,
      ...READ_MONEY,
      ...DECIDE,
      ...MARGIN,
      ...CONTROL,
      'deal.cancel',
      'change.request',
      'project.sign-off',
      'dispute.resolve',
    ],
  },
  'pmo-lead': {
    reach: 'group',
    permissions: [
      ...READ_DEAL,
      ...READ_MONEY,
      ...DECIDE,
      ...MARGIN,
      ...CONTROL,
      'deal.cancel',
      'project.sign-off',
      'dispute.resolve',
      'estimate.report',
      'policy.propose',
      'run.read',
    ],
  },
  'finance-controller': {
    reach: 'entity',
    permissions: [
      ...READ_DEAL,
      ...READ_MONEY,
      ...DECIDE,
      ...MARGIN,
      ...CONTROL,
      'sow.propose',
      'books.read',
      'change.account',
      'collection.manage',
      'dispute.resolve',
      'invoice.correct',
      'billing.release',
      'billing.waive',
      'policy.propose',
      'master-data.write',
      'audit.read',
    ],
  },
  cfo: {
    reach: 'group',
    permissions: [
      ...READ_DEAL,
      ...READ_MONEY,
      ...DECIDE,
      ...MARGIN,
      ...CONTROL,
      'books.read',
      'deal.cancel',
      'collection.manage',
      'dispute.resolve',
      'invoice.correct',
      'audit.read',
      'run.read',
    ],
  },
  ceo: { reach: 'group', permissions: [...READ_DEAL, ...READ_MONEY, ...DECIDE, ...MARGIN, ...CONTROL, 'books.read'] },
  'entity-head': { reach: 'entity', permissions: [...READ_DEAL, ...READ_MONEY, ...DECIDE, ...MARGIN, ...CONTROL, 'books.read'] },
  'deal-committee': { reach: 'group', permissions: [...READ_DEAL, ...DECIDE, ...MARGIN] },
  'legal-counsel': { reach: 'group', permissions: [...READ_DEAL, ...DECIDE, 'sow.propose'] },
  'resource-manager': { reach: 'entity', permissions: [...READ_DEAL, 'personal-data.read'] },
  'procurement-lead': { reach: 'group', permissions: [...READ_DEAL, ...DECIDE, ...CONTROL, 'cost.read'] },
  'accounts-payable': { reach: 'group', permissions: ['master-data.read'] },
  'accounts-receivable': {
    reach: 'group',
    permissions: [...READ_DEAL, ...READ_MONEY, 'bank-statement.import', 'collection.manage', 'invoice.correct'],
  },
  'project-manager': {
    reach: 'entity',
    permissions: [
      ...READ_DEAL,
      ...DECIDE,
      'invoice.read',
      'dispute.resolve',
      'cost.read',
      'change.request',
      'milestone.deliver',
      'milestone.respond',
      'usage.report',
      'time.report',
      'expense.report',
      'estimate.report',
      'project.sign-off',
    ],
  },
  'crm-integration': { reach: 'group', permissions: ['crm.report'] },
  'bank-integration': { reach: 'group', permissions: ['bank-statement.import'] },
  'time-integration': { reach: 'group', permissions: ['time.report', 'expense.report', 'estimate.report'] },
  'service-desk-integration': { reach: 'group', permissions: ['usage.report'] },
  'master-data-integration': { reach: 'group', permissions: ['master-data.read', 'master-data.write'] },
  /** Keeps the engine running: sees runs and events, no amounts, and approves nothing (RULES: who administers users approves nothing). */
  operator: {
    reach: 'group',
    permissions: [
      'run.read',
      'inbox.read',
      'inbox.replay',
      'api-key.write',
      'webhook-endpoint.write',
      'notification.read',
      'notification.replay',
      'audit.read',
      'deal.cancel',
      'policy.read',
    ],
  },
  /** Reads everything but people's data, changes nothing. */
  auditor: {
    reach: 'group',
    permissions: [
      ...READ_DEAL,
      ...READ_MONEY,
      ...MARGIN,
      ...CONTROL,
      'books.read',
      'run.read',
      'audit.read',
      'audit.export',
      'field-access.read',
      'inbox.read',
      'notification.read',
    ],
  },
};

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

/** Every role that grants something, sorted: for validation of assignments and the role × scope × route matrix. */
export function knownRoles(): string[] {
  return Object.keys(ROLES).sort();
}

/** Own keys only: a role named like a member of every object grants nothing. */
function rightsOf(role: string): RoleRights | undefined {
  return Object.hasOwn(ROLES, role) ? ROLES[role] : undefined;
}
