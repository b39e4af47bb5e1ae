import { z } from 'zod';
import { exceptionOptions, exceptionPaths } from '../../domain/exception/paths';
import { listOf, moment, outsideId, pageQuery, role, text, uuid } from './common';

const stages = ['open', 'assigned', 'decided', 'settled'] as const;

export const exceptionQuery = z.strictObject({
  ...pageQuery,
  open: z.enum(['true', 'false']).default('true').describe('false: also those that are settled'),
  path: z.enum(exceptionPaths).optional(),
  stage: z.enum(stages).optional(),
  dealId: uuid.optional(),
  mine: z.enum(['true', 'false']).optional().describe('Only those that are asked of the caller now'),
});

const summary = {
  id: z.string(),
  /** What it stands at: a run, or `findings/`, `inbox/`, `notification/` and an id. */
  workflowId: z.string(),
  dealId: z.string().nullable(),
  entityId: z.string().nullable(),
  kind: z.string(),
  /** How it is handled; null where it is only known until it passes by itself. */
  path: z.enum(exceptionPaths).nullable(),
  stage: z.enum(stages),
  detail: z.string(),
  ownerRole: z.string(),
  askedRoles: z.array(z.string()).readonly(),
  openedAt: moment,
  due: moment.nullable(),
  closedAt: moment.nullable(),
  /** The option that settled it; `cured` by itself, `lapsed` with its deal. */
  settledAs: z.string().nullable(),
};

export const exceptionListSchema = listOf(z.object(summary));

/** `offers` may be chosen now; `choices` are those that people made, the first first. */
export const exceptionSchema = z.object({
  ...summary,
  contractLineId: z.string().nullable(),
  facts: z.record(z.string(), z.string()),
  policyVersionId: z.string().nullable(),
  /** Of a fall of margin, in percent of the price: what is expected, and what it is held against; null for others, and without the right to it. */
  margin: z.object({ asOf: z.string(), referencePercent: z.string(), atCompletionPercent: z.string() }).nullable(),
  /** Of spend on subcontractors: what was spent beside its budget, now or when an outcome was chosen; null for others, and without the right to it. */
  cost: z.object({ budget: z.string(), spent: z.string(), overspend: z.string(), currency: z.string() }).nullable(),
  /** The records of one cause that it holds, added up (`/items` lists them); null where it is about one thing. */
  items: z.object({ open: z.number(), total: z.number(), amount: z.string().nullable(), currency: z.string().nullable() }).nullable(),
  offers: z
    .array(
      z.object({
        option: z.enum(exceptionOptions),
        needsApproval: z.boolean(),
        /** What it asks for beside a reason: `evidence`, or as `target` a role, the number of a change order, a line, the id of a cost. */
        needs: z.enum(['evidence', 'role', 'change-order', 'line', 'subcontractor-cost']).nullable(),
        /** It takes corrected facts in the place of the evidence; then it is approved by others. */
        takesCorrection: z.literal(true).optional(),
      }),
    )
    .readonly(),
  choices: z
    .array(
      z.object({
        choiceId: z.string(),
        option: z.enum(exceptionOptions),
        chosenBy: z.string(),
        chosenAt: moment,
        reason: z.string().nullable(),
        evidence: z.string().nullable(),
        target: z.string().nullable(),
        approvalId: z.string().nullable(),
        state: z.enum(['asked', 'carried-out', 'refused', 'void']),
        settledAt: moment.nullable(),
      }),
    )
    .readonly(),
});

export const exceptionParams = z.strictObject({ id: uuid });

/** So many items are named one by one; all of them are meant without naming any. */
const MOST_ITEMS = 5000;

/**
 * `target`: the role that is to decide, the number of the change order, the line that gives budget, or the cost that is
 * refused or disputed. `evidence`: a reference to what proves it. `items`: those that it is
 * for, else all that are open. `correction`: facts as the door takes them that they came through: the body of that request, `{"file": "<xml>"}` of a
 * bank file, the whole event of a CRM, `{"address": …}` of a mail that nobody took.
 */
export const outcomeRequest = z.strictObject({
  option: z.enum(exceptionOptions),
  reason: text,
  evidence: z
    .string()
    .regex(/^[\w.:/#-]{1,200}$/, 'a reference without blanks, no words')
    .nullable()
    .default(null),
  target: z.union([role, outsideId]).nullable().default(null),
  items: z.array(uuid).min(1).max(MOST_ITEMS).nullable().default(null),
  correction: z.record(z.string(), z.unknown()).nullable().default(null),
});
