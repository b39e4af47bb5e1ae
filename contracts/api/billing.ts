import { z } from 'zod';
import { amountText, count, listOf, moment, month, pageQuery } from './common';

/** A run of a month as it was taken; amounts as decimal strings in `currency`, `limit` is null where there was none. */
const runSchema = z.object({
  runId: z.string(),
  period: z.string(),
  reference: z.string(),
  invoiceId: z.string().nullable(),
  currency: z.string(),
  limit: z.string().nullable(),
  billedFees: z.string(),
  billedToDate: z.string(),
  creditedBefore: z.string(),
  releasedFromParked: z.string(),
  newlyParked: z.string(),
  parkedAfter: z.string(),
  softLimitReachedBy: z.string().nullable(),
  runAt: moment,
});

/** The runs of a line in their order, and what lies beyond its limit now. */
export const lineRunsSchema = z.object({
  runs: z.array(runSchema).readonly(),
  parked: z.object({ entries: z.int(), amount: z.string(), currency: z.string() }),
});

/** Hours drawn from a retainer by month of work: what is used comes from the rolled-over hours, then the included ones, then it is overage. */
export const drawdownSchema = z.object({
  months: z
    .array(
      z.object({
        period: month,
        used: z.string(),
        rolledIn: z.string(),
        fromRollover: z.string(),
        fromIncluded: z.string(),
        overageHours: z.string(),
        rolledOut: z.string(),
        expired: z.string(),
      }),
    )
    .readonly(),
});

/** What the usage of each reported month settles; `trueUp` is null where a report of its quarter is missing. */
export const settlementsSchema = z.object({
  months: z
    .array(
      z.object({
        period: month,
        eventId: z.string(),
        tickets: count,
        overageTickets: count,
        currency: z.string(),
        overage: amountText,
        trueUp: amountText.nullable(),
        serviceCredit: amountText,
      }),
    )
    .readonly(),
});

/** Billable time by line; `amount` is that of the entries that runs have priced, null where hours have no rate. */
export const billableTimeSchema = z.object({
  lines: z
    .array(
      z.object({ contractLineId: z.string(), lineId: z.string(), hours: z.string(), amount: amountText.nullable(), currency: z.string() }),
    )
    .readonly(),
});

export const findingQuery = z.strictObject({
  ...pageQuery,
  kind: z.enum(['time', 'expense']).optional(),
  code: z
    .string()
    .regex(/^[A-Z][A-Z_]{0,59}$/, 'must be a code')
    .optional(),
  /** `breach`: open, or open when the project began to close. */
  state: z.enum(['open', 'closed', 'breach']).optional(),
});

export const findingListSchema = listOf(
  z.object({
    kind: z.enum(['time', 'expense']),
    code: z.string(),
    reference: z.string(),
    /** True where it keeps its entry or expense from being billed. */
    blocking: z.boolean(),
    lineId: z.string().nullable(),
    personId: z.string(),
    firstSeenAt: moment,
    closedAt: moment.nullable(),
  }),
);
