import { z } from 'zod';
import { amountText, instant, listOf, moment, pageQuery, text, uuid, waitSchema } from './common';

export const invoiceStates = ['draft', 'approved', 'issued', 'settled', 'void'] as const;

export const invoiceSummarySchema = z.object({
  id: z.string(),
  dealId: z.string(),
  contractLineId: z.string(),
  lineId: z.string(),
  reference: z.string(),
  number: z.string().nullable(),
  documentKind: z.enum(['invoice', 'credit-note']),
  kind: z.string(),
  state: z.enum(invoiceStates),
  period: z.string(),
  entityId: z.string(),
  billToId: z.string(),
  currency: z.string(),
  plannedIssueDate: z.string(),
  issueDate: z.string().nullable(),
  dueDate: z.string().nullable(),
  taxCategory: z.enum(['S', 'O', 'AE']),
  net: z.string(),
  tax: z.string(),
  total: z.string(),
  open: z.string(),
  createdAt: moment,
  settledAt: moment.nullable(),
});

export const invoiceSchema = invoiceSummarySchema.extend({
  contractVersion: z.int(),
  purchaseOrder: z.string().nullable(),
  taxRatePercent: z.string(),
  taxReasonCode: z.string().nullable(),
  lines: z
    .array(
      z.object({
        position: z.int(),
        description: z.string(),
        quantity: z.string().nullable(),
        unit: z.string().nullable(),
        unitPrice: z.string().nullable(),
        amount: z.string(),
        tax: z.string(),
        items: z.array(z.object({ itemKind: z.string(), itemId: z.string(), creditedBy: z.string().nullable() })).readonly(),
      }),
    )
    .readonly(),
  applications: z
    .array(
      z.object({
        applicationId: z.string(),
        paymentId: z.string(),
        kind: z.enum(['applied', 'tolerance']),
        amount: z.string(),
        appliedOn: z.string(),
        reversedOn: z.string().nullable(),
      }),
    )
    .readonly(),
  dunning: z
    .array(z.object({ level: z.int(), name: z.string(), reachedAt: moment, open: z.string(), heldBy: z.string().nullable() }))
    .readonly(),
  holds: z
    .array(
      z.object({
        holdId: z.string(),
        kind: z.string(),
        amount: z.string().nullable(),
        reason: z.string().nullable(),
        from: moment,
        until: moment.nullable(),
        recordedBy: z.string(),
        liftedAt: moment.nullable(),
      }),
    )
    .readonly(),
  waits: z.array(waitSchema).readonly(),
});

export const invoiceListSchema = listOf(invoiceSummarySchema);
export const invoiceQuery = z.strictObject({
  ...pageQuery,
  dealId: uuid.optional(),
  contractLineId: uuid.optional(),
  state: z.enum(invoiceStates).optional(),
});

/** `amount` is the part of the invoice that is held, in its currency; null is the whole. */
export const holdRequest = z
  .strictObject({
    kind: z.enum(['dispute', 'promise', 'dunning-hold']),
    amount: amountText.nullable(),
    reason: text,
    from: instant,
    until: instant.nullable(),
  })
  .refine((hold) => hold.until === null || hold.until > hold.from, { path: ['until'], message: 'must be after from' });
export const holdReceipt = z.object({ holdId: z.string(), invoiceId: z.string(), state: z.enum(invoiceStates) });
