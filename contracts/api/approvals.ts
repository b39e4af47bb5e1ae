import { z } from 'zod';
import { instant, listOf, moment, outsideId, pageQuery, role, text, uuid } from './common';
import { talkInWords } from './approval-talk';
import { problemSchema } from './problem';

export const approvalStates = ['pending', 'conditions', 'approved', 'refused', 'withdrawn', 'expired'] as const;

export const approvalSummarySchema = z.object({
  id: z.string(),
  subjectKind: z.string(),
  subjectId: z.string(),
  dealId: z.string().nullable(),
  entityId: z.string(),
  requestedBy: z.string(),
  state: z.enum(approvalStates),
  tier: z.int(),
  amount: z.string().nullable(),
  currency: z.string().nullable(),
  ruleIds: z.array(z.string()).readonly(),
  shownHash: z.string(),
  openedAt: moment,
  due: moment.nullable(),
  decidedAt: moment.nullable(),
  reason: z.string().nullable(),
});

/** What is asked of a role in a tier, and how far it has come. */
export const approvalStepSchema = z.object({
  tier: z.int(),
  role: z.string(),
  quorum: z.string(),
  voters: z.int(),
  need: z.int(),
  state: z.string(),
  due: moment.nullable(),
});

/** `candidates` are the people who may decide an open step now; nobody else's decision is taken. */
export const approvalSchema = approvalSummarySchema.extend({
  policyVersionId: z.string(),
  shown: z.unknown(),
  steps: z
    .array(
      approvalStepSchema.extend({
        openedAt: moment.nullable(),
        closedAt: moment.nullable(),
        /** What has been granted of the need. */
        given: z.int(),
        /** What a vote weighs by role; null where the policy gives none. */
        weights: z.record(z.string(), z.int()).nullable(),
        /** Of which roles so many different people must grant. */
        groups: z.array(z.object({ name: z.string(), roles: z.array(z.string()).readonly(), need: z.int(), given: z.int() })).readonly(),
        candidates: z.array(z.object({ userId: z.string(), onBehalfOf: z.string().nullable(), weight: z.int() })).readonly(),
      }),
    )
    .readonly(),
  decisions: z
    .array(
      z.object({
        decisionId: z.string(),
        tier: z.int(),
        role: z.string(),
        decidedBy: z.string(),
        onBehalfOf: z.string().nullable(),
        verdict: z.enum(['grant', 'refuse']),
        reason: z.string().nullable(),
        decidedAt: moment,
      }),
    )
    .readonly(),
  /** When it ends by itself where nobody has decided it. */
  expiresAt: moment.nullable(),
  ...talkInWords,
  /** The request before this one for the same thing, and who voted on it; those votes count for nothing here. */
  previous: z
    .object({
      approvalId: z.string(),
      subjectId: z.string(),
      requestedBy: z.string(),
      state: z.enum(approvalStates),
      openedAt: moment,
      decidedAt: moment.nullable(),
      votes: z
        .array(
          z.object({
            tier: z.int(),
            role: z.string(),
            by: z.string(),
            onBehalfOf: z.string().nullable(),
            verdict: z.enum(['grant', 'refuse']),
            at: moment,
          }),
        )
        .readonly(),
    })
    .nullable(),
  /** What is shown otherwise than the previous time, place by place, the first 200 of `changeCount`; null where there was none. */
  changes: z
    .array(z.object({ path: z.string(), before: z.unknown().optional(), after: z.unknown().optional() }))
    .readonly()
    .nullable(),
  changeCount: z.int(),
});

export const approvalListSchema = listOf(approvalSummarySchema);
export const approvalQuery = z.strictObject({
  ...pageQuery,
  state: z.enum(approvalStates).optional(),
  dealId: uuid.optional(),
  subjectKind: z.string().max(60).optional(),
  mine: z.enum(['true', 'false']).optional(),
});

export const withdrawalRequest = z.strictObject({ reason: text });

const condition = z.strictObject({ condition: text, role, due: instant.nullish() });

/**
 * A decision binds to what was shown: `shownHash` is the ETag of the approval as the person read it. `conditions` are what a grant is given
 * under: each is the task of a role, and the request is approved once all are settled.
 */
export const decisionRequest = z
  .strictObject({
    decisionId: z
      .string()
      .regex(/^[A-Za-z0-9._:-]{1,100}$/, 'must be 1 to 100 of A-Z a-z 0-9 . _ : -')
      .optional(),
    verdict: z.enum(['grant', 'refuse']),
    reason: text.nullish(),
    role: role.nullish(),
    shownHash: z.string().min(1).max(200),
    conditions: z.array(condition).max(10).optional(),
  })
  .refine(({ verdict, conditions = [] }) => verdict === 'grant' || conditions.length === 0, {
    path: ['conditions'],
    message: 'a refusal has no conditions',
  });

export const recusalRequest = z.strictObject({ reason: text });
export const questionRequest = z.strictObject({ question: text, role: role.nullish() });
export const answerRequest = z.strictObject({ questionId: outsideId, answer: text });
export const fulfilmentRequest = z.strictObject({ evidence: text });
export const waiverRequest = z.strictObject({ reason: text });
export const decisionReceiptSchema = z.object({
  outcome: z.enum(['accepted', 'already-received', 'already-applied']),
  approval: approvalSchema,
});

/** Most decisions of one request. */
export const MOST_DECISIONS = 500;

export const decisionItem = decisionRequest.extend({ approvalId: uuid });
export const decisionsRequest = z.strictObject({ decisions: z.array(decisionItem).min(1).max(MOST_DECISIONS) });

/** What became of one decision of many. `unknown`: repeat the same request with the same Idempotency-Key, it gives the one outcome. */
export const decisionOutcomes = ['accepted', 'already-received', 'already-applied', 'refused', 'unknown'] as const;

export const decisionResultSchema = z.object({
  /** Place in the request, from 0. */
  index: z.int(),
  approvalId: z.string().nullable(),
  decisionId: z.string().nullable(),
  outcome: z.enum(decisionOutcomes),
  /** Where the approval stands after a decision that was taken. */
  state: z.enum(approvalStates).nullable(),
  /** Why it was refused, or is not known; as an answer to this decision alone would say it. */
  problem: problemSchema
    .pick({ code: true, title: true, status: true, detail: true, action: true, retryable: true, errors: true })
    .nullable(),
});
export type DecisionResult = z.infer<typeof decisionResultSchema>;

const countsSchema = z.object(
  Object.fromEntries(decisionOutcomes.map((outcome) => [outcome, z.int()])) as Record<DecisionResult['outcome'], z.ZodInt>,
);
export const decisionsSchema = z.object({ results: z.array(decisionResultSchema).readonly(), counts: countsSchema });
export type DecisionsAnswer = z.infer<typeof decisionsSchema>;

/** One line of the answer as it comes: the results in the order of the request, at last the counts. Without these it broke off. */
export const decisionsLineSchema = z.union([decisionResultSchema, z.object({ counts: countsSchema })]);
