import { z } from 'zod';
import { listOf, moment, outsideId, pageQuery } from './common';

export const statementListSchema = listOf(
  z.object({
    id: z.string(),
    inboxEventId: z.string(),
    entityId: z.string(),
    account: z.string(),
    statementId: z.string(),
    currency: z.string(),
    fromDate: z.string(),
    toDate: z.string(),
    opening: z.string(),
    closing: z.string(),
    state: z.enum(['applying', 'applied']),
    transactions: z.int(),
    transactionsApplied: z.int(),
    appliedAt: moment,
  }),
);
export const statementQuery = z.strictObject(pageQuery);

export const paymentListSchema = listOf(
  z.object({
    id: z.string(),
    bankStatementId: z.string(),
    entityId: z.string(),
    billToId: z.string(),
    endToEndId: z.string(),
    bookedOn: z.string(),
    amount: z.string(),
    onAccount: z.string(),
    currency: z.string(),
    method: z.string(),
    confidence: z.string(),
    reversedOn: z.string().nullable(),
    applications: z
      .array(
        z.object({
          invoiceId: z.string(),
          reference: z.string(),
          kind: z.string(),
          amount: z.string(),
          appliedOn: z.string(),
          reversedOn: z.string().nullable(),
        }),
      )
      .readonly(),
  }),
);
export const paymentQuery = z.strictObject({ ...pageQuery, billToId: outsideId.optional() });

const buckets = z.object({ 'not-due': z.string(), '1-30': z.string(), '31-60': z.string(), '61-90': z.string(), 'over-90': z.string() });

/** What is owed at the end of a day, money on account beside it, not netted (S-33). */
export const receivablesSchema = z.object({
  asOf: z.string(),
  items: z
    .array(
      z.object({
        invoiceId: z.string(),
        reference: z.string(),
        billToId: z.string(),
        entityId: z.string(),
        currency: z.string(),
        dueDate: z.string(),
        open: z.string(),
        daysOverdue: z.int(),
        bucket: z.string(),
      }),
    )
    .readonly(),
  parties: z
    .array(z.object({ billToId: z.string(), currency: z.string(), open: z.string(), overdue: z.string(), onAccount: z.string(), buckets }))
    .readonly(),
});
export const receivablesQuery = z.strictObject({ entityId: outsideId.optional(), asOf: z.iso.date().optional() });
