import { z } from 'zod';
import { listOf, localDate, moment, outsideId, pageQuery, waitSchema } from './common';

export const projectStates = ['mobilising', 'active', 'closing', 'closed', 'cancelled'] as const;

export const projectSummarySchema = z.object({
  id: z.string(),
  dealId: z.string(),
  code: z.string(),
  name: z.string(),
  customerId: z.string(),
  leadEntityId: z.string(),
  entityIds: z.array(z.string()).readonly(),
  state: z.enum(projectStates),
  openedAt: moment,
  closedAt: moment.nullable(),
});

const milestone = z.object({
  milestoneId: z.string(),
  name: z.string(),
  percent: z.string(),
  amount: z.string(),
  currency: z.string(),
  plannedDate: z.string(),
  state: z.string(),
  attempt: z.int(),
  deliveredAt: moment.nullable(),
  deemedAt: moment.nullable(),
  acceptedOn: z.string().nullable(),
  acceptance: z.string().nullable(),
});
export const milestoneSchema = milestone;

const task = z.object({
  taskId: z.string(),
  roleCode: z.string(),
  estimateHours: z.string(),
  plannedStart: z.string(),
  plannedEnd: z.string(),
  closedOn: z.string().nullable(),
  validFrom: z.string(),
  billable: z.boolean(),
});

/** `cost` stands only in answers to readers with the right to see cost. */
const budget = z.object({
  version: z.int(),
  hours: z.string(),
  price: z.string(),
  cost: z.string().nullable().optional(),
  currency: z.string(),
});

export const projectSchema = projectSummarySchema.extend({
  phases: z
    .array(
      z.object({
        phaseId: z.string(),
        code: z.string(),
        name: z.string(),
        startDate: z.string(),
        endDate: z.string(),
        contractLineId: z.string(),
        lineId: z.string(),
        budget: budget.nullable(),
        milestones: z.array(milestone).readonly(),
        workPackages: z
          .array(z.object({ code: z.string(), name: z.string(), serviceLine: z.string(), tasks: z.array(task).readonly() }))
          .readonly(),
      }),
    )
    .readonly(),
  signOff: z.object({ documentReference: z.string(), signedOn: z.string(), recordedBy: z.string(), recordedAt: moment }).nullable(),
  waits: z.array(waitSchema).readonly(),
});

export const projectListSchema = listOf(projectSummarySchema);
export const projectQuery = z.strictObject({ ...pageQuery, state: z.enum(projectStates).optional() });
export const signOffRequest = z.strictObject({ documentReference: outsideId, signedOn: localDate });
