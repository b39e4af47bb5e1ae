import { type Instant } from '../deal/terms';
import { isViolation, type Violation } from '../violation';
import { type DecisionFacts, stepFor } from './decision';
import { timeIsOver, votesAreOver, type Approval } from './state';

/** What an approver wants to know of the requester; the words stand elsewhere, where they can be erased (I-15). */
export interface Question {
  readonly questionId: string;
  readonly tier: number;
  readonly role: string;
  readonly by: string;
  readonly textId: string;
  readonly askedAt: Instant;
  readonly answer: { readonly by: string; readonly textId: string; readonly at: Instant } | null;
}

/** A time during which a clock stands still; `until` null while it still does. */
export interface Pause {
  readonly from: Instant;
  readonly until: Instant | null;
}

/** An approval is no correspondence: more is talked about elsewhere, and then decided or refused. */
const MOST_QUESTIONS = 20;

/**
 * Whoever may decide now asks the requester something first; the clocks of the tier stand still until it is answered. The same question
 * once more changes nothing. Refused as a vote would be (`stepFor`), with `NobodyToAnswer` where the engine asks or the requester has left,
 * `TooManyQuestions` beyond twenty (409).
 */
export function ask(
  approval: Approval,
  question: Omit<Question, 'tier' | 'role' | 'askedAt' | 'answer'> & { readonly role: string | null },
  facts: Pick<DecisionFacts, 'authorities' | 'barredByRecusal'> & { readonly requesterAnswers: boolean },
  at: Instant,
): Approval | Violation {
  if (approval.questions.some(({ questionId }) => questionId === question.questionId)) return approval;
  const over = votesAreOver(approval) ?? timeIsOver(approval, at);
  if (over !== null || approval.kind !== 'pending') return over ?? approval;
  if (question.by === approval.requestedBy) return { violation: 'ApproverIsRequester', detail: question.by };
  const chosen = stepFor(approval, question, facts);
  if (isViolation(chosen)) return chosen;
  if (!facts.requesterAnswers) return { violation: 'NobodyToAnswer', detail: approval.requestedBy };
  if (approval.questions.length >= MOST_QUESTIONS) return { violation: 'TooManyQuestions', detail: `${MOST_QUESTIONS} were asked` };
  const asked = { ...question, tier: approval.openTier, role: chosen.step.role, askedAt: at, answer: null };
  return { ...approval, questions: [...approval.questions, asked] };
}

/**
 * The requester answers, and where nothing else is owed the clocks go on. Refused: `RequesterRequired` (403), `QuestionUnknown` (404),
 * `QuestionSettled` where it is answered, or its tier is decided (409), `ApprovalGone` (410).
 */
export function answer(
  approval: Approval,
  said: { readonly questionId: string; readonly by: string; readonly textId: string },
  at: Instant,
): Approval | Violation {
  const over = votesAreOver(approval) ?? timeIsOver(approval, at);
  if (over !== null || approval.kind !== 'pending') return over ?? approval;
  if (said.by !== approval.requestedBy) return { violation: 'RequesterRequired', detail: `requested by ${approval.requestedBy}` };
  const question = approval.questions.find(({ questionId }) => questionId === said.questionId);
  if (question === undefined) return { violation: 'QuestionUnknown', detail: said.questionId };
  if (!openQuestions(approval).includes(question)) return { violation: 'QuestionSettled', detail: said.questionId };
  const answered = { ...question, answer: { by: said.by, textId: said.textId, at } };
  return { ...approval, questions: approval.questions.map((each) => (each === question ? answered : each)) };
}

/** What the requester owes an answer to: questions of the open tier; those of a tier that is decided are not needed any more. */
export function openQuestions(approval: Approval): readonly Question[] {
  if (approval.kind !== 'pending') return [];
  return approval.questions.filter((each) => each.tier === approval.openTier && each.answer === null);
}

/** When the clocks of a tier stand or stood still, in order and with what overlaps put together. */
export function pausesOf({ questions }: Pick<Approval, 'questions'>, tier: number): Pause[] {
  const told = questions
    .filter((each) => each.tier === tier)
    .map((each): Pause => ({ from: each.askedAt, until: each.answer?.at ?? null }));
  const merged: Pause[] = [];
  for (const pause of [...told].sort((a, b) => Date.parse(a.from) - Date.parse(b.from))) {
    const last = merged.at(-1);
    if (last === undefined || (last.until !== null && Date.parse(last.until) < Date.parse(pause.from))) merged.push(pause);
    else merged[merged.length - 1] = { from: last.from, until: later(last.until, pause.until) };
  }
  return merged;
}

function later(a: Instant | null, b: Instant | null): Instant | null {
  if (a === null || b === null) return null;
  return Date.parse(a) >= Date.parse(b) ? a : b;
}
