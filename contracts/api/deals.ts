import { z } from 'zod';
import { type DealTerms } from '../../domain/deal/terms';
import { dealTermsSchema } from '../deal-closed';
import { count, currency, decimalText, listOf, localDate, moment, outsideId, pageQuery, text, uuid, waitSchema } from './common';

export const dealStates = [
  'handoff',
  'terms',
  'approval',
  'mobilising',
  'delivering',
  'closing',
  'closed',
  'declined',
  'cancelling',
  'cancelled',
] as const;

export const dealSummarySchema = z.object({
  id: z.string(),
  name: z.string(),
  state: z.enum(dealStates),
  stateSince: moment,
  customerId: z.string().nullable(),
  contractNumber: z.string(),
  shortCode: z.string(),
  projectCode: z.string(),
  leadEntityId: z.string(),
  entityIds: z.array(z.string()).readonly(),
  closedWonAt: moment,
  signedDate: z.string(),
  finishedAt: moment.nullable(),
});

const terms: z.ZodType<DealTerms> = dealTermsSchema;

export const discrepancySchema = z.object({ path: z.string(), deal: z.string().nullable(), sow: z.string(), clause: z.string() });

export const dealSchema = dealSummarySchema.extend({
  sellerId: z.string().nullable(),
  deliveryLeadId: z.string().nullable(),
  revision: z.int(),
  terms,
  termsHash: z.string(),
  governingTerms: terms.nullable(),
  discrepancies: z.array(discrepancySchema).readonly(),
  missing: z.array(z.object({ code: z.string(), path: z.string(), ask: z.string(), ownerRole: z.string() })).readonly(),
  aliases: z.array(z.object({ source: z.string(), externalId: z.string() })).readonly(),
  contractLines: z
    .array(
      z.object({
        id: z.string(),
        lineId: z.string(),
        name: z.string(),
        engagementModel: z.string(),
        state: z.string(),
        projectManagerId: z.string().nullable(),
      }),
    )
    .readonly(),
  projectId: z.string().nullable(),
  waits: z.array(waitSchema).readonly(),
  links: z.object({ self: z.string(), run: z.string(), temporal: z.string().nullable(), approvals: z.string(), invoices: z.string() }),
});

export const dealListSchema = listOf(dealSummarySchema);
export const dealQuery = z.strictObject({ ...pageQuery, state: z.enum(dealStates).optional() });

const planTask = z.strictObject({
  taskId: outsideId,
  workPackageId: outsideId,
  lineId: outsideId,
  phase: text,
  workPackageName: text,
  serviceLine: text,
  roleCode: outsideId,
  estimateHours: decimalText.refine((value) => !value.startsWith('-'), 'must not be negative'),
  plannedStart: localDate,
  plannedEnd: localDate,
  closedOn: localDate.nullable(),
  validFrom: localDate,
  billable: z.boolean(),
});
export const deliveryPlanSchema = z.strictObject({ tasks: z.array(planTask).min(1).max(2000) });
/** The plan that stands, also while it waits for its turn; no tasks where there is none. */
export const standingPlanSchema = z.object({
  dealId: z.string(),
  tasks: z
    .array(
      z.object({ ...planTask.shape, estimateHours: z.string(), phase: z.string(), workPackageName: z.string(), serviceLine: z.string() }),
    )
    .readonly(),
});

export const sowProposalRequest = z.strictObject({
  proposalId: uuid.optional(),
  documentId: outsideId,
  terms: z
    .array(
      z.strictObject({
        path: outsideId,
        value: z.string().max(2000),
        unit: z.string().max(60),
        clause: z.string().max(60),
        currency: currency.optional(),
      }),
    )
    .min(1)
    .max(1000),
});
export const sowProposalReceiptSchema = z.object({
  proposalId: z.string(),
  version: z.int(),
  discrepancies: count,
  ignoredTerms: count,
});
export const sowProposalListSchema = listOf(
  z.object({
    proposalId: z.string(),
    version: z.int(),
    documentId: z.string(),
    state: z.enum(['proposed', 'confirmed', 'refused']),
    proposedBy: z.string(),
    proposedAt: moment,
    discrepancies: z.array(discrepancySchema).readonly(),
  }),
);

export const cancellationRequest = z.strictObject({ reason: text, effectiveOn: localDate });
export const cancellationReceipt = z.object({ approvalId: z.string() });
