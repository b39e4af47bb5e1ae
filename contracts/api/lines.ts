import { z } from 'zod';
import { type LineTerms } from '../../domain/deal/terms';
import { WAIVABLE_ITEMS, WAIVER_REASONS } from '../../domain/engagement/waiver';
import { contractLineTermsSchema } from '../contract-terms';
import { amountText, count, currency, decimalText, instant, moment, month, outsideId, text, waitSchema } from './common';
import { milestoneSchema } from './projects';

const terms: z.ZodType<LineTerms> = contractLineTermsSchema;

export const lineSchema = z.object({
  id: z.string(),
  dealId: z.string(),
  lineId: z.string(),
  name: z.string(),
  engagementModel: z.string(),
  sellingEntityId: z.string(),
  billToId: z.string(),
  currency: z.string(),
  serviceLine: z.string(),
  practice: z.string(),
  region: z.string(),
  startDate: z.string(),
  endDate: z.string(),
  state: z.enum(['planned', 'active', 'billing-complete', 'finished', 'cancelled']),
  stoppedOn: z.string().nullable(),
  contractVersion: z.int(),
  terms: terms.nullable(),
  milestones: z.array(milestoneSchema).readonly(),
  billingPlan: z
    .array(
      z.object({
        itemId: z.string(),
        itemKey: z.string(),
        kind: z.string(),
        period: z.string().nullable(),
        reference: z.string(),
        milestoneId: z.string().nullable(),
        draftAt: moment.nullable(),
        issueDate: z.string().nullable(),
        amount: z.string().nullable(),
        currency: z.string(),
        state: z.enum(['planned', 'billed', 'nothing-to-bill', 'void']),
        blockers: z.unknown(),
        blockedUntil: moment.nullable(),
        heldReason: z.string().nullable(),
        settledAt: moment.nullable(),
      }),
    )
    .readonly(),
  waivers: z
    .array(
      z.object({
        waiverId: z.string(),
        kind: z.string(),
        period: z.string().nullable(),
        hours: z.string().nullable(),
        amount: z.string().nullable(),
        reasonCode: z.string(),
        decidedBy: z.string(),
        decidedAt: moment,
      }),
    )
    .readonly(),
  waits: z.array(waitSchema).readonly(),
});

/** What a writer is told who may not read the line: that the fact is on record, about what, and how the line stands. */
export const lineReceipt = z.object({ contractLineId: z.string(), subject: z.string(), state: lineSchema.shape.state });
/** The line for whoever may read it, else the receipt. */
export const lineWritten = z.union([lineSchema, lineReceipt]);

export const deliveryRequest = z.strictObject({ deliveredAt: instant });
export const responseRequest = z.strictObject({
  attempt: z.int().min(1).max(1000),
  response: z.enum(['accepted', 'rejected']),
  respondedAt: instant,
  reason: text.nullish(),
  documentReference: outsideId.nullish(),
});

export const releaseRequest = z.strictObject({ itemKey: outsideId });

const waiverReason = z.enum(WAIVER_REASONS);
export const waiverRequest = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('overage'),
    period: month,
    /** Hours that shall not be billed; negative: hours billed too many that stay billed. */
    hours: decimalText,
    reasonCode: waiverReason,
  }),
  z.strictObject({
    kind: z.enum(WAIVABLE_ITEMS),
    /** What stands there, as the line shows it: nobody gives up what came after they looked. */
    amount: amountText,
    currency,
    reasonCode: waiverReason,
  }),
]);

export const usageRequest = z
  .strictObject({
    eventId: outsideId,
    servicePeriod: month,
    tickets: count,
    p1Tickets: count,
    p1WithinTarget: count,
    supersedes: outsideId.nullable(),
    reportedAt: instant,
  })
  .refine((usage) => usage.p1WithinTarget <= usage.p1Tickets, { path: ['p1WithinTarget'], message: 'must not exceed p1Tickets' });
