import { z } from 'zod';
import {
  type BillingMethod,
  type DealAlias,
  type DealClosed,
  type DealTerms,
  type EngagementModelCode,
  type Instant,
  type LineTerms,
  type RevenueMethod,
} from '../domain/deal/terms';
import { canonical } from '../domain/decimal';
import { isCurrency } from '../domain/money';
import { fieldErrors, type FieldError } from './problems';

/** The words of the shared unions, for every place that reads them from outside. */
export const engagementModels = [
  'fixed-fee',
  'time-and-materials',
  'managed-service',
  'retainer',
] as const satisfies readonly EngagementModelCode[];
export const billingMethods = ['milestone', 'monthly-arrears', 'monthly-advance'] as const satisfies readonly BillingMethod[];
export const revenueMethods = [
  'cost-to-cost',
  'hours-percent-complete',
  'milestone',
  'straight-line-daily',
  'as-invoiced',
  'completed-contract',
  'point-in-time',
] as const satisfies readonly RevenueMethod[];

/** A CRM reports that a deal stands at a stage other than won: lost, or open (again). */
export interface DealStageReported {
  readonly aliases: readonly DealAlias[];
  readonly stage: 'lost' | 'open';
  readonly occurredAt: Instant;
}

/** What a report from a CRM means once it is normalised. */
export type DealReport =
  | { readonly kind: 'closed-won'; readonly deal: DealClosed }
  | { readonly kind: 'stage-reported'; readonly report: DealStageReported }
  | { readonly kind: 'ignored'; readonly reason: string }
  | { readonly kind: 'invalid'; readonly errors: readonly FieldError[] };

const text = z.string().min(1).max(300);
const localDate = z.iso.date();
const instant = z.iso.datetime();
const decimal = z.string().refine((value) => canonical(value) === value, 'must be an exact decimal in canonical form');
const money = z.strictObject({
  minor: z.int(),
  currency: z.string().refine(isCurrency, 'must be an ISO 4217 currency'),
});

const alias = z.strictObject({ source: text, externalId: text });

const lineBase = {
  lineId: text,
  name: text,
  serviceLine: text,
  practice: text,
  region: text,
  sellingEntityId: text,
  billToId: text,
  currency: z.string().refine(isCurrency, 'must be an ISO 4217 currency'),
  startDate: localDate,
  endDate: localDate,
  billingMethod: z.enum(billingMethods),
  revenueMethod: z.enum(revenueMethods),
  feeDiscountPercent: decimal.nullable(),
  expensesBillable: z.boolean(),
};

const fixedFeeLine = z.strictObject({
  ...lineBase,
  engagementModel: z.literal('fixed-fee'),
  fixedFee: money,
  milestones: z.array(z.strictObject({ milestoneId: text, name: text, percent: decimal, plannedDate: localDate })).min(1),
});

const timeAndMaterialsLine = z.strictObject({
  ...lineBase,
  engagementModel: z.literal('time-and-materials'),
  notToExceed: money.nullable(),
  capSoftPercent: decimal.nullable(),
});

const slaBand = z.strictObject({ fromPercent: decimal, belowPercent: decimal.nullable(), creditPercentOfMonthlyFee: decimal });
const managedServiceLine = z.strictObject({
  ...lineBase,
  engagementModel: z.literal('managed-service'),
  monthlyFee: money,
  includedTicketsPerMonth: z.int().min(0),
  overagePerTicket: money,
  minimumCommitment: z.strictObject({ period: z.literal('contract-quarter'), amount: money }).nullable(),
  slaCredits: z.strictObject({ measure: text, table: z.array(slaBand).min(1) }).nullable(),
});

const retainerLine = z.strictObject({
  ...lineBase,
  engagementModel: z.literal('retainer'),
  monthlyFee: money,
  includedHoursPerMonth: decimal,
  overageRatePerHour: money,
  rollover: z.strictObject({ maxHours: decimal, months: z.int().min(1) }).nullable(),
  availability: z.enum(['on-issue', 'on-payment']),
});

/** One contract line by its engagement model. */
export const lineTermsSchema = z.discriminatedUnion('engagementModel', [
  fixedFeeLine,
  timeAndMaterialsLine,
  managedServiceLine,
  retainerLine,
]) satisfies z.ZodType<LineTerms>;

/** The terms of a deal, whichever CRM told them; the shape of `DealTerms`. */
export const dealTermsSchema = z.strictObject({
  name: text,
  contractNumber: text,
  shortCode: text,
  projectCode: text,
  signedDate: localDate,
  startDate: localDate,
  endDate: localDate,
  customerId: text.nullable(),
  leadEntityId: text,
  paymentTermsDays: z.int().min(0),
  purchaseOrderRequired: z.boolean(),
  lateInterestPercentPerYear: decimal,
  customerRateCardId: text.nullable(),
  deemedAcceptanceBusinessDays: z.int().min(0).nullable(),
  statementOfWork: z.strictObject({ documentId: text, sha256: z.string().regex(/^[0-9a-f]{64}$/) }).nullable(),
  lines: z.array(lineTermsSchema).min(1),
}) satisfies z.ZodType<DealTerms>;

/** The canonical `DealClosed` where it crosses a process boundary (inbox, workflow input, replay by hand). */
export const dealClosedSchema = z.strictObject({
  aliases: z.array(alias).min(1),
  closedAt: instant,
  sellerId: text.nullable(),
  deliveryLeadId: text.nullable(),
  terms: dealTermsSchema,
}) satisfies z.ZodType<DealClosed>;

export const dealStageReportedSchema = z.strictObject({
  aliases: z.array(alias).min(1),
  stage: z.enum(['lost', 'open']),
  occurredAt: instant,
}) satisfies z.ZodType<DealStageReported>;

/** Reads a canonical `DealClosed`; every wrong field at once, with a pointer into `value`. Returned, never thrown. */
export function parseDealClosed(value: unknown): DealReport {
  const parsed = dealClosedSchema.safeParse(value, { reportInput: true });
  return parsed.success ? { kind: 'closed-won', deal: parsed.data } : { kind: 'invalid', errors: fieldErrors(parsed.error) };
}
