import { z } from 'zod';
import { listOf, moment, pageQuery } from './common';

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

export const findingQuery = z.strictObject({
  ...pageQuery,
  kind: z.enum(['time', 'expense']).optional(),
  code: z
    .string()
    .regex(/^[A-Z][A-Z_]{0,59}$/, 'must be a code')
    .optional(),
  state: z.enum(['open', 'closed']).optional(),
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
