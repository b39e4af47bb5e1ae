import { z } from 'zod';
import { exceptionOptions } from '../domain/exception/paths';
import { isCurrency } from '../domain/money';
import { retentionClasses, type RetentionClass } from '../domain/privacy/entry';
import { RETENTION } from '../domain/privacy/retention';
import { asksAboutPolicies, policyDecimal, policyMatrix, policyRole, policySla } from './policy-matrix';

/** Kinds of versioned policies. `approval` is a firm's own; the others have a global standard that a firm may refine with a file of its own. */
export const standardPolicyKinds = [
  'access-scopes',
  'control-points',
  'collections',
  'billing',
  'closing',
  'exceptions',
  'tax-rates',
  'retention',
] as const;
export type StandardPolicyKind = (typeof standardPolicyKinds)[number];
export type PolicyKind = StandardPolicyKind | 'approval';

const name = z.string().min(1).max(200);
const localDate = z.iso.date();
const currency = z.string().refine(isCurrency, 'must be an ISO 4217 currency');
const country = z.string().regex(/^[A-Z]{2}$/, 'must be an ISO 3166 country code');

const shownPeople = z.enum(['role', 'initials', 'name']);
export type ShownPeople = z.infer<typeof shownPeople>;

const header = {
  version: z.int().min(1),
  validFrom: localDate,
  refines: name.optional(),
  approvedBy: name.optional(),
  note: z.string().max(2000).optional(),
};

const dutyRules = z.array(z.strictObject({ id: name, text: z.string(), duties: z.array(name).min(2) }));

/** The firm's approval matrix, duties, deadlines in working minutes, and delegation. Amounts in the group currency. */
export const approvalPolicySchema = z.strictObject({
  ...header,
  groupCurrency: currency,
  amountBasis: z.string().optional(),
  /** Without a rule of its own about policies, changes of them go by the control points. */
  matrix: policyMatrix.refine(
    (rules) => rules.every(({ subject }) => subject !== 'policy') || asksAboutPolicies(rules),
    'a rule for every change of a policy is missing',
  ),
  segregationOfDuties: dutyRules,
  sla: policySla,
  delegation: z.strictObject({
    maxDepth: z.int().min(0).max(5),
    ceilingNotAboveDelegator: z.literal(true),
    activeWhen: z.string().optional(),
    /** How long one may be, and beyond which amount (whole units of the group currency) or time a second person grants it. */
    longestDays: z.int().min(1).max(3660).optional(),
    secondPerson: z.strictObject({ aboveAmount: z.int().min(0).max(1_000_000_000), aboveDays: z.int().min(0).max(3660) }).optional(),
  }),
  /** For how long an exception from the duties can be granted, and used. */
  breakGlass: z.strictObject({ hours: z.int().min(1).max(168) }).optional(),
});

/** Whether an exhausted or lapsed purchase order stops an invoice or is only shown. */
const severity = z.enum(['blocks', 'warns']);

const ladder = z
  .array(z.strictObject({ level: z.int().min(0).max(100), name, daysFromDue: z.int().min(-365).max(3650), interest: z.boolean() }))
  .max(50)
  .refine((steps) => steps.every((step, index) => index === 0 || isAfter(step, steps[index - 1])), 'levels and days must rise');

/** Who handles exceptions of a path and by when; without `ownerRole` whoever keeps what is stuck. `approved` are options that need it beside those that always do. */
const exceptionPath = z.strictObject({
  ownerRole: policyRole.optional(),
  workingMinutes: z.int().min(1).max(1_000_000),
  escalateTo: z.array(policyRole).max(20),
  approved: z.array(z.enum(exceptionOptions)).max(exceptionOptions.length),
});

const taxRate = z
  .strictObject({
    country,
    kind: z.enum(['VAT', 'GST', 'consumption', 'none']),
    ratePercent: policyDecimal,
    validFrom: localDate,
    validTo: localDate.nullable(),
    source: name,
  })
  .refine(({ validFrom, validTo }) => validTo === null || validFrom <= validTo, 'validTo must not lie before validFrom');

/** Months by class, none below what the law or the product keeps. */
const retentionMonths = z.strictObject(
  Object.fromEntries(
    retentionClasses.map((each) => {
      const { floorMonths, floorSource } = RETENTION[each];
      return [each, z.int().min(floorMonths, `at least ${floorMonths} months: ${floorSource}`).max(1200)];
    }),
  ) as Record<RetentionClass, z.ZodInt>,
);

/** One schema per kind; every policy goes through its own, from a file or over the API. */
export const policySchemas = {
  approval: approvalPolicySchema,
  'access-scopes': z.strictObject({ ...header, roles: z.record(name, z.enum(['group', 'entity'])) }),
  'control-points': z.strictObject({
    ...header,
    matrix: policyMatrix.refine(asksAboutPolicies, 'a rule for every change of a policy is missing'),
    /** Beside those of the firm; versions before the standard had any have none. */
    segregationOfDuties: dutyRules.optional(),
    sla: policySla,
  }),
  collections: z.strictObject({
    ...header,
    tolerance: z.strictObject({ percent: policyDecimal, majorCap: policyDecimal, overrides: z.record(currency, policyDecimal) }),
    ladders: z.record(name, ladder).refine((ladders) => ladders.default !== undefined, 'needs the ladder "default"'),
  }),
  billing: z.strictObject({
    ...header,
    cutOffDay: z.int().min(1).max(28),
    billingLeadWorkingDays: z.int().min(0).max(20),
    purchaseOrder: z.strictObject({ exhausted: severity, lapsed: severity }),
    /** How documents show whose time they bill: by default, and for contract numbers that ask for more. */
    documents: z.strictObject({ people: shownPeople, peopleByContract: z.record(name, shownPeople) }).optional(),
  }),
  /** Days of the next month at whose start a month is soft-closed (its revenue is recognised) and closed. After the cut-off of billing. */
  closing: z
    .strictObject({ ...header, softCloseDay: z.int().min(1).max(28), closeDay: z.int().min(1).max(28) })
    .refine(({ softCloseDay, closeDay }) => softCloseDay < closeDay, 'a month is soft-closed before it is closed'),
  exceptions: z.strictObject({
    ...header,
    paths: z.strictObject({
      'stuck-integration': exceptionPath,
      'policy-breach': exceptionPath.required({ ownerRole: true }),
      'delayed-approval': exceptionPath.required({ ownerRole: true }),
      'scope-change': exceptionPath.required({ ownerRole: true }),
      'margin-erosion': exceptionPath.required({ ownerRole: true }),
      'subcontractor-spend': exceptionPath.required({ ownerRole: true }),
    }),
    remindAtPercent: z.array(z.int().min(1).max(100)).max(20),
    /** To whom a decision that nobody takes may be given. */
    reassignTo: z.array(policyRole).min(1).max(20),
    /** Codes of findings that somebody decides on. */
    breaches: z.array(name).max(50),
    /** Percentage points that a line may be going to earn less than it was sold for. */
    marginPoints: policyDecimal,
    /** Percent of its budget for subcontractors that a line may spend beyond it. */
    subcontractorTolerancePercent: policyDecimal,
  }),
  retention: z.strictObject({ ...header, months: retentionMonths }),
  'tax-rates': z.strictObject({
    ...header,
    rates: z.array(taxRate).superRefine((rates, context) => {
      rates.forEach((rate, index) => {
        if (rates.slice(0, index).some((other) => overlaps(other, rate)))
          context.addIssue({
            code: 'custom',
            path: [index, 'validFrom'],
            message: `${rate.country} has another ${rate.kind} on the same days`,
          });
      });
    }),
  }),
} as const satisfies Record<PolicyKind, z.ZodType>;

export type PolicyBody<K extends PolicyKind> = z.infer<(typeof policySchemas)[K]>;
export type ApprovalPolicy = PolicyBody<'approval'>;
export type DunningLadder = PolicyBody<'collections'>['ladders'][string];

function isAfter(step: { level: number; daysFromDue: number }, before: { level: number; daysFromDue: number } | undefined): boolean {
  return before === undefined || (step.level > before.level && step.daysFromDue > before.daysFromDue);
}

function overlaps(a: z.infer<typeof taxRate>, b: z.infer<typeof taxRate>): boolean {
  if (a.country !== b.country || a.kind !== b.kind) return false;
  return a.validFrom <= (b.validTo ?? '9999-12-31') && b.validFrom <= (a.validTo ?? '9999-12-31');
}
