import { z } from 'zod';
import { amountText, instant, listOf, moment, outsideId, pageQuery, role, text, uuid, waitSchema } from './common';

export const invoiceStates = ['draft', 'approved', 'issued', 'settled', 'credited', 'void'] as const;

export const disputeOutcomes = ['rejected', 'upheld', 'upheld-in-part'] as const;
export const fates = ['rebill', 'waive', 'hold'] as const;

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
  corrects: z.object({ invoiceId: z.string(), reference: z.string(), correctionId: z.string() }).nullable(),
  creditedOn: z.string().nullable(),
  disputes: z
    .array(
      z.object({
        disputeId: z.string(),
        reference: z.string().nullable(),
        amount: z.string().nullable(),
        reasonCode: z.string(),
        reason: z.string().nullable(),
        ownerRole: z.string(),
        raisedBy: z.string(),
        raisedAt: moment,
        outcome: z.enum(disputeOutcomes).nullable(),
        notBillable: z.array(z.union([z.object({ item: z.string() }), z.object({ line: z.int() })])).readonly(),
        resolvedBy: z.string().nullable(),
        resolvedAt: moment.nullable(),
        resolution: z.string().nullable(),
      }),
    )
    .readonly(),
  corrections: z
    .array(
      z.object({
        correctionId: z.string(),
        kind: z.enum(['full', 'partial', 'release']),
        state: z.enum(['requested', 'approved', 'issued', 'refused', 'withdrawn', 'outdated']),
        disputeId: z.string().nullable(),
        reasonCode: z.string(),
        reason: z.string().nullable(),
        requestedBy: z.string(),
        requestedAt: moment,
        approvalId: z.string(),
        issueAt: moment.nullable(),
        endedAt: moment.nullable(),
        documents: z
          .array(
            z.object({ invoiceId: z.string(), reference: z.string(), documentKind: z.enum(['invoice', 'credit-note']), total: z.string() }),
          )
          .readonly(),
        things: z
          .array(z.object({ line: z.int(), item: z.string().nullable(), fate: z.enum(fates), amount: z.string(), released: z.boolean() }))
          .readonly(),
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
    kind: z.enum(['promise', 'dunning-hold']),
    amount: amountText.nullable(),
    reason: text,
    from: instant,
    until: instant.nullable(),
  })
  .refine((hold) => hold.until === null || hold.until > hold.from, { path: ['until'], message: 'must be after from' });
export const holdReceipt = z.object({ holdId: z.string(), invoiceId: z.string(), state: z.enum(invoiceStates) });

const reasonCode = z.string().regex(/^[A-Za-z][A-Za-z0-9_-]{0,39}$/, 'must be a code such as HOURS');
const linePosition = z.int().min(0).max(1_000_000);

/** `reference` is what the customer calls it; `amount` the part that is disputed, null all of it. */
export const disputeRequest = z.strictObject({
  reference: outsideId.nullable().default(null),
  amount: amountText.nullable(),
  reasonCode,
  reason: text,
  raisedAt: instant,
  ownerRole: role,
});
export const disputeReceipt = z.object({ disputeId: z.string(), invoiceId: z.string(), openDisputes: z.int() });
export const resolutionRequest = z
  .strictObject({
    outcome: z.enum(disputeOutcomes),
    notBillable: z.array(z.union([z.strictObject({ item: outsideId }), z.strictObject({ line: linePosition })])).max(10_000),
    reason: text.nullable(),
  })
  .refine((resolution) => resolution.outcome !== 'rejected' || resolution.notBillable.length === 0, {
    path: ['notBillable'],
    message: 'what is rejected finds nothing that is not billable',
  });

/**
 * What becomes of what is credited: `rebill` once more, `waive` never again, `hold` until a release. An amount of a line is given up. Items
 * go by the id of their entry, expense or milestone, lines by their position on the invoice.
 */
const choice = z.union([
  z.strictObject({ item: outsideId, fate: z.enum(fates) }),
  z.strictObject({ line: linePosition, fate: z.enum(fates) }),
  z.strictObject({ line: linePosition, amount: amountText }),
]);
const whyCorrected = { disputeId: outsideId.nullable(), reasonCode, reason: text.nullable() };
const choices = z.array(choice).max(10_000);

/** `full` credits all that stands, `partial` what is chosen, `release` decides what an earlier credit kept back. */
export const correctionRequest = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('full'), otherwise: z.enum(fates), choices, ...whyCorrected }),
  z.strictObject({ kind: z.literal('partial'), choices: choices.min(1), ...whyCorrected }),
  z.strictObject({ kind: z.literal('release'), otherwise: z.enum(fates), choices, ...whyCorrected }),
]);
export const correctionReceipt = z.object({ correctionId: z.string(), invoiceId: z.string(), approvalId: z.string() });
