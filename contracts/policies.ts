import { z } from 'zod';
import { canonical } from '../domain/decimal';

/** Kinds of versioned policies. `approval` is a firm's own; the others have a global standard that a firm may refine with a file of its own. */
export const standardPolicyKinds = ['access-scopes', 'control-points', 'collections', 'billing', 'closing', 'tax-rates'] as const;
export type StandardPolicyKind = (typeof standardPolicyKinds)[number];
export type PolicyKind = StandardPolicyKind | 'approval';

const name = z.string().min(1).max(200);
const localDate = z.iso.date();
const amount = z.string().refine((value) => canonical(value) === value && !value.startsWith('-'), 'must be an exact decimal, not negative');
const country = z.string().regex(/^[A-Z]{2}$/, 'must be an ISO 3166 country code');

const shownPeople = z.enum(['role', 'initials', 'name']);
export type ShownPeople = z.infer<typeof shownPeople>;

const header = {
  version: z.int().min(1),
  validFrom: localDate,
  refines: name.optional(),
  approvedBy: name.optional(),
  note: z.string().optional(),
};

const condition = z.strictObject({
  amountAbove: amount.optional(),
  amountUpTo: amount.optional(),
  marginPercentBelow: amount.optional(),
  discountPercentAbove: amount.optional(),
  paymentTermsDaysAbove: amount.optional(),
  beyondBudget: z.boolean().optional(),
});
const approver = z.strictObject({
  tier: z.int().min(1),
  role: name,
  quorum: z.string().regex(/^([1-9]\d*|0\.\d+|1\.0+)$/, 'must be a count, or a ratio with a decimal point'),
  veto: z.boolean().optional(),
  minimumVoters: z.int().min(1).optional(),
});
const rule = z.strictObject({ id: name, subject: name, when: condition, approvers: z.array(approver).min(1), note: z.string().optional() });
const matrix = z.array(rule).superRefine((rules, context) => {
  rules.forEach((each, index) => {
    if (rules.findIndex((other) => other.id === each.id) !== index) {
      context.addIssue({ code: 'custom', path: [index, 'id'], message: `${each.id} stands twice` });
    }
  });
});
const sla = z.object({
  workingMinutes: z.record(name, z.int().min(1)),
  remindAtPercent: z.array(z.int().min(1).max(100)),
  escalateTo: z.array(name),
});

/** The firm's approval matrix, duties, deadlines in working minutes, and delegation. Amounts in the group currency. */
export const approvalPolicySchema = z.object({
  ...header,
  groupCurrency: z.string().length(3),
  amountBasis: z.string().optional(),
  matrix,
  segregationOfDuties: z.array(z.strictObject({ id: name, text: z.string(), duties: z.array(name).min(2) })),
  sla,
  delegation: z.object({ maxDepth: z.int().min(0).max(5), ceilingNotAboveDelegator: z.literal(true), activeWhen: z.string().optional() }),
});

/** Whether an exhausted or lapsed purchase order stops an invoice or is only shown. */
const severity = z.enum(['blocks', 'warns']);

const ladder = z
  .array(z.strictObject({ level: z.int().min(0), name, daysFromDue: z.int(), interest: z.boolean() }))
  .refine((steps) => steps.every((step, index) => index === 0 || isAfter(step, steps[index - 1])), 'levels and days must rise');

/** One schema per kind; every policy file goes through its own. */
export const policySchemas = {
  approval: approvalPolicySchema,
  'access-scopes': z.object({ ...header, roles: z.record(name, z.enum(['group', 'entity'])) }),
  'control-points': z.object({ ...header, matrix, sla }),
  collections: z.object({
    ...header,
    tolerance: z.strictObject({ percent: amount, majorCap: amount, overrides: z.record(z.string().length(3), amount) }),
    ladders: z.record(name, ladder).refine((ladders) => ladders.default !== undefined, 'needs the ladder "default"'),
  }),
  billing: z.object({
    ...header,
    cutOffDay: z.int().min(1).max(28),
    billingLeadWorkingDays: z.int().min(0).max(20),
    purchaseOrder: z.strictObject({ exhausted: severity, lapsed: severity }),
    /** How documents show whose time they bill: by default, and for contract numbers that ask for more. */
    documents: z.strictObject({ people: shownPeople, peopleByContract: z.record(name, shownPeople) }).optional(),
  }),
  /** Days of the next month at whose start a month is soft-closed (its revenue is recognised) and closed. After the cut-off of billing. */
  closing: z
    .object({ ...header, softCloseDay: z.int().min(1).max(28), closeDay: z.int().min(1).max(28) })
    .refine(({ softCloseDay, closeDay }) => softCloseDay < closeDay, 'a month is soft-closed before it is closed'),
  'tax-rates': z.object({
    ...header,
    rates: z.array(
      z.strictObject({
        country,
        kind: z.enum(['VAT', 'GST', 'consumption', 'none']),
        ratePercent: amount,
        validFrom: localDate,
        validTo: localDate.nullable(),
        source: name,
      }),
    ),
  }),
} as const satisfies Record<PolicyKind, z.ZodType>;

export type PolicyBody<K extends PolicyKind> = z.infer<(typeof policySchemas)[K]>;
export type ApprovalPolicy = PolicyBody<'approval'>;
export type DunningLadder = PolicyBody<'collections'>['ladders'][string];

function isAfter(step: { level: number; daysFromDue: number }, before: { level: number; daysFromDue: number } | undefined): boolean {
  return before === undefined || (step.level > before.level && step.daysFromDue > before.daysFromDue);
}
