import { z } from 'zod';
import { listOf, moment, outsideId, pageQuery } from './common';

/** Amounts of a line in its currency. `spent` = `committed` (what no bill has consumed) + `billed`; `remaining` is below zero where it is over. */
export const subcontractorSpendSchema = z.object({
  dealId: z.string(),
  lines: z
    .array(
      z.object({
        contractLineId: z.string(),
        lineId: z.string(),
        currency: z.string(),
        cost: z.object({
          budget: z.string(),
          committed: z.string(),
          billed: z.string(),
          spent: z.string(),
          remaining: z.string(),
        }),
        /** What the budget is made of, the first first. */
        budgets: z
          .array(
            z.object({
              cause: z.enum(['baseline', 'absorb', 'reallocate', 'change-order']),
              workPackageId: z.string().nullable(),
              cost: z.string(),
              choiceId: z.string().nullable(),
              recordedAt: moment,
            }),
          )
          .readonly(),
        exceptionId: z.string().nullable(),
      }),
    )
    .readonly(),
});

export const subcontractorCostQuery = z.strictObject({ ...pageQuery, lineId: outsideId.optional() });

/** `state`: it counts, was superseded (by `supersededBy`), or an outcome refused the commitment or disputed the bill. */
export const subcontractorCostListSchema = listOf(
  z.object({
    costId: z.string(),
    lineId: z.string(),
    workPackageId: z.string().nullable(),
    vendorId: z.string(),
    kind: z.enum(['commitment', 'bill']),
    commitmentId: z.string().nullable(),
    amount: z.string(),
    currency: z.string(),
    /** The amount in the currency of the line. */
    cost: z.string(),
    costCurrency: z.string(),
    incurredOn: z.string(),
    supersedes: z.string().nullable(),
    supersededBy: z.string().nullable(),
    state: z.enum(['counted', 'superseded', 'refused', 'disputed']),
    recordedAt: moment,
  }),
);
