import { refuseShorter } from '../domain/privacy/retention';
import { type InvalidInput, type Violation } from '../domain/violation';
import { policySchemas, standardPolicyKinds, type PolicyBody, type PolicyKind } from './policies';
import { fieldErrors } from './problems';

/** What can be said of a kind of policy before any version of it. */
export interface PolicyKindEntry {
  readonly title: string;
  /** What it decides, in a sentence for its owner. */
  readonly decides: string;
  /** How a new version comes: by an approval, or with the master data that is made of it. */
  readonly changedBy: 'approval' | 'master-data';
  /** JSON pointers of what an entity may say otherwise than the group; nothing else of it. */
  readonly local: readonly string[];
  /** Refuses what an entity says where it may go only one way from what the group says. */
  readonly refuseLocal?: (group: unknown, own: unknown) => InvalidInput | null;
}

/** Every kind of policy that the product reads. */
export const policyCatalogue: Readonly<Record<PolicyKind, PolicyKindEntry>> = {
  approval: {
    title: 'Approvals',
    decides:
      'Who approves deals, statements of work, change orders and invoices, who may not do both, by when, and how far delegation goes.',
    changedBy: 'approval',
    local: ['/sla'],
  },
  'control-points': {
    title: 'Control points',
    decides:
      'Who approves what the firm has no rule of its own for: kickoff, cancellation, correction, close; by when; and which duties do not go together.',
    changedBy: 'approval',
    local: ['/sla'],
  },
  collections: {
    title: 'Collections',
    decides: 'How much a payment may differ from its invoice, and the steps of dunning by class of customer.',
    changedBy: 'approval',
    local: ['/tolerance', '/ladders'],
  },
  billing: {
    title: 'Billing',
    decides:
      'The day until which hours of a month count, how early advance invoices are drafted, what a purchase order stops, whose names documents show.',
    changedBy: 'approval',
    local: ['/cutOffDay', '/billingLeadWorkingDays', '/purchaseOrder', '/documents'],
  },
  closing: {
    title: 'Closing',
    decides: 'The days on which a month is soft-closed and closed.',
    changedBy: 'approval',
    local: ['/softCloseDay', '/closeDay'],
  },
  exceptions: {
    title: 'Exceptions',
    decides:
      'Who handles what does not go its usual way, by when, whom it is escalated to, what of it needs approval, and from where on a breach, a fall of margin or spend on subcontractors is one.',
    changedBy: 'approval',
    local: ['/paths', '/remindAtPercent', '/reassignTo', '/breaches', '/marginPoints', '/subcontractorTolerancePercent'],
  },
  retention: {
    title: 'Retention',
    decides:
      'How many months data of people is kept, by class, before it is erased by itself; never shorter than the law, an entity never shorter than the group.',
    changedBy: 'approval',
    local: ['/months'],
    refuseLocal: refuseShorter,
  },
  'access-scopes': {
    title: 'Scopes of roles',
    decides: 'Which roles are held for the whole group and which for one entity.',
    changedBy: 'master-data',
    local: [],
  },
  'tax-rates': {
    title: 'Tax rates',
    decides: 'The standard rates on services by country and date.',
    changedBy: 'master-data',
    local: [],
  },
};

export const policyKinds: readonly PolicyKind[] = ['approval', ...standardPolicyKinds];

export function isPolicyKind(kind: string): kind is PolicyKind {
  return Object.hasOwn(policyCatalogue, kind);
}

/**
 * The body of a version, or `PolicyInvalid` with everything that is wrong: each with its code, pointer and reason. A field that nobody
 * knows is refused, because it is a misspelt one and would be a rule that nobody follows.
 */
export function checkPolicy<K extends PolicyKind>(kind: K, body: unknown): PolicyBody<K> | InvalidInput {
  const parsed = policySchemas[kind].safeParse(body, { reportInput: true });
  if (parsed.success) return parsed.data as PolicyBody<K>;
  const errors = fieldErrors(parsed.error).map(({ pointer, code, message }): Violation => ({
    violation: code,
    detail: message,
    path: pointer,
  }));
  return { violation: 'PolicyInvalid', detail: `${errors.length} wrong ${errors.length === 1 ? 'field' : 'fields'} in ${kind}`, errors };
}
