import { sql, type Kysely } from 'kysely';
import { type ConditionEnd } from '../../domain/approval/conditions';
import { type Words } from '../free-text';
import { type DB } from '../types';

/** Rows of what was said to approvals besides votes, with ids of the words. */
export interface TalkRows {
  readonly recusals: readonly { approvalId: string; userId: string; reasonId: string; at: string }[];
  readonly questions: readonly {
    approvalId: string;
    questionId: string;
    tier: number;
    role: string;
    askedBy: string;
    textId: string;
    askedAt: string;
    answeredBy: string | null;
    answerId: string | null;
    answeredAt: string | null;
  }[];
  readonly conditions: readonly {
    approvalId: string;
    conditionId: string;
    decisionId: string;
    setBy: string;
    role: string;
    textId: string;
    due: string | null;
    setAt: string;
    outcome: ConditionEnd['as'] | null;
    settledBy: string | null;
    endTextId: string | null;
    settledAt: string | null;
  }[];
}

/** Who stood back, what was asked and answered, what was granted under what, of some approvals, in the order in which it was said. */
export async function talkOf(db: Kysely<DB>, approvalIds: readonly string[]): Promise<TalkRows> {
  if (approvalIds.length === 0) return { recusals: [], questions: [], conditions: [] };
  const recusals = await db
    .selectFrom('approval_recusal')
    .select(['approval_id as approvalId', 'user_id as userId', 'reason_id as reasonId', 'recused_at as at'])
    .where('approval_id', 'in', approvalIds)
    .orderBy('recused_at')
    .orderBy('user_id')
    .execute();
  const questions = await db
    .selectFrom('approval_question as question')
    .leftJoin('approval_answer as answer', 'answer.question_id', 'question.id')
    .select(['question.approval_id as approvalId', 'question.id as questionId', 'question.tier', 'question.role'])
    .select(['question.asked_by as askedBy', 'question.text_id as textId', 'question.asked_at as askedAt'])
    .select(['answer.answered_by as answeredBy', 'answer.text_id as answerId', 'answer.answered_at as answeredAt'])
    .where('question.approval_id', 'in', approvalIds)
    .orderBy('question.asked_at')
    .orderBy('question.id')
    .execute();
  const conditions = await db
    .selectFrom('approval_condition as condition')
    .innerJoin('approval_decision as decision', 'decision.decision_id', 'condition.decision_id')
    .leftJoin('approval_condition_end as ended', 'ended.condition_id', 'condition.id')
    .select(['condition.approval_id as approvalId', 'condition.id as conditionId', 'condition.decision_id as decisionId'])
    .select(['decision.decided_by as setBy', 'condition.owner_role as role', 'condition.text_id as textId', 'condition.due'])
    .select(['condition.set_at as setAt', 'ended.settled_by as settledBy', 'ended.text_id as endTextId'])
    .select(sql<ConditionEnd['as'] | null>`ended.outcome`.as('outcome'))
    .select('ended.settled_at as settledAt')
    .where('condition.approval_id', 'in', approvalIds)
    .orderBy('condition.set_at')
    .orderBy('condition.id')
    .execute();
  return { recusals, questions, conditions };
}

/** Ids of all words in some talk. */
export function textsInTalk({ recusals, questions, conditions }: TalkRows): (string | null)[] {
  return [
    ...recusals.map(({ reasonId }) => reasonId),
    ...questions.flatMap(({ textId, answerId }) => [textId, answerId]),
    ...conditions.flatMap(({ textId, endTextId }) => [textId, endTextId]),
  ];
}

/** The talk of one approval in words; those that were erased are null. */
export function talkInWords({ recusals, questions, conditions }: TalkRows, words: Words, owed: ReadonlySet<string>) {
  const said = (id: string | null): string | null => (id === null ? null : (words.get(id) ?? null));
  return {
    recusals: recusals.map(({ userId, reasonId, at }) => ({ userId, reason: said(reasonId), at })),
    questions: questions.map((each) => ({
      questionId: each.questionId,
      tier: each.tier,
      role: each.role,
      askedBy: each.askedBy,
      question: said(each.textId),
      askedAt: each.askedAt,
      isOwed: owed.has(each.questionId),
      answeredBy: each.answeredBy,
      answer: said(each.answerId),
      answeredAt: each.answeredAt,
    })),
    conditions: conditions.map((each) => ({
      conditionId: each.conditionId,
      decisionId: each.decisionId,
      setBy: each.setBy,
      role: each.role,
      condition: said(each.textId),
      due: each.due,
      setAt: each.setAt,
      outcome: each.outcome,
      settledBy: each.settledBy,
      words: said(each.endTextId),
      settledAt: each.settledAt,
    })),
  };
}
