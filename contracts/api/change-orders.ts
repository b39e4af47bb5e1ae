import { z } from 'zod';
import { contractTermsSchema } from '../contract-terms';
import { amountText, currency, decimalText, listOf, localDate, moment, outsideId, pageQuery, text } from './common';

const addOn = z.strictObject({
  monthlyFee: amountText,
  currency,
  serviceFrom: localDate,
  serviceTo: localDate,
  proration: z.literal('days active / days in the calendar month').optional(),
});

export const changeOrderRequest = z.strictObject({
  number: outsideId,
  title: text,
  contractVersion: z.int().min(1),
  reason: text,
  changes: z
    .array(
      z.strictObject({
        path: outsideId,
        from: z.string().max(2000).nullable(),
        to: z.union([z.string().min(1).max(2000), addOn]),
        currency: currency.optional(),
        inForceFrom: localDate,
      }),
    )
    .min(1)
    .max(200),
  tasks: z
    .array(
      z.strictObject({
        taskId: outsideId,
        workPackageId: outsideId,
        lineId: outsideId,
        serviceLine: text,
        roleCode: outsideId,
        estimateHours: decimalText.refine((value) => !value.startsWith('-'), 'must not be negative'),
        plannedStart: localDate,
        plannedEnd: localDate,
        closedOn: localDate.nullable(),
        billable: z.boolean(),
      }),
    )
    .max(2000)
    .default([]),
});
export const changeOrderReceiptSchema = z.object({ changeOrderId: z.string(), number: z.string(), approvalId: z.string() });

/** `signedBy` names a person of the customer: it is kept as words of a person are. */
export const customerApprovalRequest = z.strictObject({ documentReference: outsideId, signedOn: localDate, signedBy: text.optional() });

/** Left out, `concernsWorkDone` follows from the change: a limit that rises, or a day that has gone by. */
export const accountingRequest = z.strictObject({
  distinct: z.boolean(),
  atStandAloneSellingPrice: z.boolean(),
  remainingDistinct: z.boolean(),
  concernsWorkDone: z.boolean().nullable().default(null),
});
export const changeWithdrawalRequest = z.strictObject({ reason: text.optional() });

export const orderStates = ['requested', 'approved', 'applied', 'refused', 'withdrawn'] as const;
export const treatments = ['separate-contract', 'prospective', 'cumulative-catch-up', 'mixed'] as const;

const changeOrderSummary = z.object({
  id: z.string(),
  number: z.string(),
  title: z.string(),
  state: z.enum(orderStates),
  contractVersion: z.int(),
  appliedVersion: z.int().nullable(),
  approvalId: z.string(),
  requestedBy: z.string(),
  requestedAt: moment,
  settledAt: moment.nullable(),
  outcome: z.object({ code: z.string(), detail: z.string() }).nullable(),
});

export const changeOrderSchema = changeOrderSummary.extend({
  changes: z
    .array(
      z.object({
        path: z.string(),
        lineId: z.string(),
        from: z.string().nullable(),
        to: z.unknown(),
        currency: z.string().nullable(),
        inForceFrom: z.string(),
      }),
    )
    .readonly(),
  values: z
    .array(z.object({ lineId: z.string(), before: z.string(), after: z.string(), difference: z.string(), currency: z.string() }))
    .readonly(),
  customerApproval: z
    .object({ documentReference: z.string(), signedOn: z.string(), recordedBy: z.string(), recordedAt: moment })
    .nullable(),
  modificationAccounting: z
    .object({
      treatment: z.enum(treatments),
      answers: z.object({
        distinct: z.boolean(),
        atStandAloneSellingPrice: z.boolean(),
        remainingDistinct: z.boolean(),
        concernsWorkDone: z.boolean().nullable(),
      }),
      answeredBy: z.string(),
      answeredAt: moment,
    })
    .nullable(),
});
export const changeOrderListSchema = listOf(changeOrderSummary);
export const changeOrderQuery = z.strictObject(pageQuery);

export const contractVersionListSchema = listOf(
  z.object({
    version: z.int(),
    inForceFrom: z.string(),
    termsHash: z.string(),
    approvalId: z.string().nullable(),
    changeOrderId: z.string().nullable(),
    createdAt: moment,
    terms: contractTermsSchema,
  }),
);
