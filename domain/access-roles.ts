/* Which role grants what. Where a role is held, and what a permission then reaches: `domain/access.ts`. */

import { type Permission } from './access-permissions';

export interface RoleRights {
  /** Where the role works when it is given with one home entity: shared functions of the group see all of it. */
  readonly reach: 'group' | 'entity';
  readonly permissions: readonly Permission[];
}

const READ_DEAL: readonly Permission[] = ['deal.read', 'project.read', 'approval.read', 'master-data.read', 'policy.read'];
const READ_MONEY: readonly Permission[] = ['invoice.read', 'payment.read'];
/** Whoever decides may have somebody else decide. */
const DECIDE: readonly Permission[] = ['approval.read', 'approval.decide', 'delegation.give'];
/** How the lifecycles go: counts and durations, no amounts and no people. For the owners of processes and those who answer for an entity. */
const CONTROL: readonly Permission[] = ['process.read'];
/** Whose roles allow what does not go together: for those who answer for roles and those who audit them. */
const DUTIES: readonly Permission[] = ['duties.read'];
/** Second persons of data protection: they grant erasures that others ask for, and release holds that others placed. */
const GUARD: readonly Permission[] = ['erasure.read', 'erasure.decide', 'legal-hold.read', 'legal-hold.release'];
/** Whoever may own an exception, or be asked when its owner does not act. */
const RESOLVE: readonly Permission[] = ['exception.resolve'];
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
      ...RESOLVE,
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
      ...RESOLVE,
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
      ...RESOLVE,
      ...DUTIES,
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
      ...RESOLVE,
      ...DUTIES,
      'books.read',
      'delegation.decide',
      'break-glass.decide',
      'deal.cancel',
      'collection.manage',
      'dispute.resolve',
      'invoice.correct',
      'audit.read',
      'run.read',
    ],
  },
  ceo: {
    reach: 'group',
    permissions: [
      ...READ_DEAL,
      ...READ_MONEY,
      ...DECIDE,
      ...MARGIN,
      ...CONTROL,
      ...DUTIES,
      ...GUARD,
      'books.read',
      'delegation.decide',
      'break-glass.decide',
    ],
  },
  'entity-head': {
    reach: 'entity',
    permissions: [
      ...READ_DEAL,
      ...READ_MONEY,
      ...DECIDE,
      ...MARGIN,
      ...CONTROL,
      ...RESOLVE,
      ...DUTIES,
      'books.read',
      'delegation.decide',
      'break-glass.decide',
      'absence.report',
    ],
  },
  'deal-committee': { reach: 'group', permissions: [...READ_DEAL, ...DECIDE, ...MARGIN] },
  'legal-counsel': { reach: 'group', permissions: [...READ_DEAL, ...DECIDE, ...GUARD, 'sow.propose', 'legal-hold.place'] },
  'resource-manager': { reach: 'entity', permissions: [...READ_DEAL, 'personal-data.read', 'absence.report'] },
  'procurement-lead': { reach: 'group', permissions: [...READ_DEAL, ...DECIDE, ...CONTROL, 'cost.read', 'subcontractor-cost.report'] },
  'accounts-payable': { reach: 'group', permissions: ['master-data.read'] },
  'accounts-receivable': {
    reach: 'group',
    permissions: [...READ_DEAL, ...READ_MONEY, ...RESOLVE, 'bank-statement.import', 'collection.manage', 'invoice.correct'],
  },
  'project-manager': {
    reach: 'entity',
    permissions: [
      ...READ_DEAL,
      ...DECIDE,
      ...RESOLVE,
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
  'procurement-integration': { reach: 'group', permissions: ['subcontractor-cost.report'] },
  'master-data-integration': { reach: 'group', permissions: ['master-data.read', 'master-data.write', 'absence.report'] },
  /** Keeps the engine running: sees runs and events, no amounts, and approves nothing (RULES: who administers users approves nothing). */
  operator: {
    reach: 'group',
    permissions: [
      ...RESOLVE,
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
  /** Answers what people ask about their data. Sees it only in exports, each of which is on record; decides nothing about deals. */
  'data-protection-officer': {
    reach: 'group',
    permissions: [
      'policy.read',
      'policy.propose',
      'field-access.read',
      'personal-data.export',
      'erasure.read',
      'erasure.request',
      'erasure.decide',
      'legal-hold.read',
      'legal-hold.place',
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
      ...DUTIES,
      'books.read',
      'run.read',
      'audit.read',
      'audit.export',
      'field-access.read',
      'inbox.read',
      'notification.read',
      'erasure.read',
      'legal-hold.read',
    ],
  },
};

/** Every role that grants something, sorted: for validation of assignments and the role × scope × route matrix. */
export function knownRoles(): string[] {
  return Object.keys(ROLES).sort();
}

/** Own keys only: a role named like a member of every object grants nothing. */
export function rightsOf(role: string): RoleRights | undefined {
  return Object.hasOwn(ROLES, role) ? ROLES[role] : undefined;
}
