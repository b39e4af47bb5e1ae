import { z } from 'zod';
import { moment } from './common';

/** What is said of a question, without its words. */
const question = z.object({
  questionId: z.string(),
  tier: z.int(),
  role: z.string(),
  askedBy: z.string(),
  askedAt: moment,
  answeredBy: z.string().nullable(),
  answeredAt: moment.nullable(),
});

/** What is said of a condition, without its words. */
const condition = z.object({
  conditionId: z.string(),
  decisionId: z.string(),
  setBy: z.string(),
  role: z.string(),
  due: moment.nullable(),
  setAt: moment,
  outcome: z.enum(['fulfilled', 'waived']).nullable(),
  settledBy: z.string().nullable(),
  settledAt: moment.nullable(),
});

const recusal = z.object({ userId: z.string(), at: moment });
const words = z.string().nullable();

/** What was said to an approval beside votes, in words; those that were erased are null. */
export const talkInWords = {
  recusals: z.array(recusal.extend({ reason: words })).readonly(),
  /** `isOwed`: the requester owes the answer, and the clocks of the tier stand still. */
  questions: z.array(question.extend({ question: words, isOwed: z.boolean(), answer: words })).readonly(),
  /** What grants were given under; `words` are the evidence, or why it was waived. */
  conditions: z.array(condition.extend({ condition: words, words })).readonly(),
};

/** The same with ids of the words, which are those of the `texts` of entries. Files from before there was any have none. */
export const talkById = {
  recusals: z
    .array(recusal.extend({ reasonId: z.string() }))
    .readonly()
    .optional(),
  questions: z
    .array(question.extend({ textId: z.string(), answerId: z.string().nullable() }))
    .readonly()
    .optional(),
  conditions: z
    .array(condition.extend({ textId: z.string(), endTextId: z.string().nullable() }))
    .readonly()
    .optional(),
};
