import { z } from 'zod';
import { type DealTerms } from '../../domain/deal/terms';
import { parseMoney } from '../../domain/money';
import { isViolation } from '../../domain/violation';
import { dealTermsSchema } from '../deal-closed';
import {
  amountText,
  count,
  currency,
  decimalText,
  listOf,
  localDate,
  moment,
  outsideId,
  pageQuery,
  text,
  uuid,
  waitSchema,
} from './common';

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

/** What is set aside for subcontractors: of a line as a whole, or of one of its work packages. Converted on signature where the line has another currency. */
const subcontractorBudget = z.strictObject({
  lineId: outsideId,
  workPackageId: outsideId.nullable().default(null),
  cost: amountText,
  currency,
});

export const deliveryPlanSchema = z
  .strictObject({
    tasks: z.array(planTask).min(1).max(2000),
    subcontractorBudgets: z.array(subcontractorBudget).max(2000).default([]),
  })
  .superRefine(({ tasks, subcontractorBudgets }, context) => {
    const seen = new Set<string>();
    for (const [index, { lineId, workPackageId, cost, currency: of }] of subcontractorBudgets.entries()) {
      const wrong = (field: string, message: string) =>
        context.addIssue({ code: 'custom', path: ['subcontractorBudgets', index, field], message });
      const amount = parseMoney(cost, of);
      if (isViolation(amount)) wrong('cost', amount.detail);
      else if (amount.minor < 0) wrong('cost', 'must not be negative');
      if (workPackageId !== null && !tasks.some((task) => task.lineId === lineId && task.workPackageId === workPackageId))
        wrong('workPackageId', 'must be a work package of the line in this plan');
      const place = JSON.stringify([lineId, workPackageId]);
      if (seen.has(place)) wrong('lineId', 'has a budget in this plan already');
      seen.add(place);
    }
  });
/** The plan that stands, also while it waits for its turn; no tasks where there is none. Budgets need the right to cost, else they are null. */
export const standingPlanSchema = z.object({
  dealId: z.string(),
  tasks: z
    .array(
      z.object({ ...planTask.shape, estimateHours: z.string(), phase: z.string(), workPackageName: z.string(), serviceLine: z.string() }),
    )
    .readonly(),
  subcontractorBudgets: z
    .array(z.object({ lineId: z.string(), workPackageId: z.string().nullable(), cost: z.string(), currency: z.string() }))
    .readonly()
    .nullable(),
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
