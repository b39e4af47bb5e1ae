import { z } from 'zod';
import { isLocalDate, lastOfMonth, monthOf } from '../../domain/calendar/dates';
import { amountText, currency, decimalText, listOf, localDate, moment, month, outsideId, pageQuery } from './common';

/** Estimates to complete at month ends: cost in a currency, or hours where the line is measured by hours (S-26). */
export const forecastsRequest = z.strictObject({
  forecasts: z
    .array(
      z
        .strictObject({
          lineId: outsideId,
          asOf: localDate.refine((date) => isLocalDate(date) && lastOfMonth(monthOf(date)) === date, 'must be the last day of a month'),
          estimateToComplete: decimalText.refine((value) => !value.startsWith('-'), 'must not be negative'),
          measure: z.enum(['cost', 'hours']).default('cost'),
          currency: currency.nullable().default(null),
        })
        .refine(({ measure, currency: of }) => (measure === 'cost') === (of !== null), 'cost has a currency, hours have none'),
    )
    .min(1)
    .max(500),
});

export const periodListSchema = listOf(
  z.object({
    period: month,
    state: z.enum(['open', 'soft-closed', 'closed']),
    openedAt: moment,
    softClosedAt: moment.nullable(),
    softClosedBy: z.string().nullable(),
    closedAt: moment.nullable(),
    closedBy: z.string().nullable(),
  }),
);
export const periodQuery = z.strictObject(pageQuery);

/** Balances of all accounts of an entity at the end of a day; debit and credit are sums, the balance is debit less credit. */
export const trialBalanceSchema = z.object({
  entityId: z.string(),
  asOf: z.string(),
  book: z.string(),
  accounts: z
    .array(
      z.object({
        account: z.string(),
        name: z.string(),
        kind: z.string(),
        currency: z.string(),
        debit: amountText,
        credit: amountText,
        balance: amountText,
      }),
    )
    .readonly(),
});
export const trialBalanceQuery = z.strictObject({
  asOf: localDate.optional(),
  book: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,39}$/, 'must be the code of a book')
    .default('primary'),
});

/** Revenue as posted: `month` is the month it is about, `postedIn` the one it stands in (S-45); what corrections changed stands apart (S-35). */
export const revenueListSchema = listOf(
  z.object({
    contractLineId: z.string(),
    lineId: z.string(),
    month,
    postedIn: month,
    isCorrection: z.boolean(),
    currency: z.string(),
    revenue: amountText,
  }),
);
export const contractBalanceListSchema = listOf(
  z.object({
    contractLineId: z.string(),
    lineId: z.string(),
    entityId: z.string(),
    month,
    currency: z.string(),
    revenueToDate: amountText,
    billedToDate: amountText,
    contractAsset: amountText,
    contractLiability: amountText,
    /** By the months that revenue is about, wherever it was posted; above it is as posted by the month end. */
    restated: z.object({ revenueToDate: amountText, contractAsset: amountText, contractLiability: amountText }),
  }),
);
export const ofDealQuery = z.strictObject(pageQuery);

/** Interest that late invoices have earned by the end of a day (S-34); nothing of it is posted or claimed. */
export const interestListSchema = listOf(
  z.object({
    invoiceId: z.string(),
    reference: z.string(),
    entityId: z.string(),
    billToId: z.string(),
    currency: z.string(),
    percentPerYear: z.string(),
    interest: amountText,
  }),
);
export const interestQuery = z.strictObject({ ...pageQuery, asOf: localDate.optional(), entityId: outsideId.optional() });
