import { addWorkingMinutes, workingMinutesBetween } from '../calendar/working-time';
import { type WorkingCalendar } from '../calendar/working-day';
import { type Instant } from '../deal/terms';
import { deadlinesBeforeDelay } from '../exception/detection';
import { isViolation, type Violation } from '../violation';
import { type Condition } from './conditions';
import { slaMoments, type SlaTerms } from './sla';

/** Working minutes for a condition that was set without a day, where no policy has a number for `condition`. */
export const CONDITION_WORKING_MINUTES = 2400;

export type LadderTerms = SlaTerms & { readonly escalateTo: readonly string[] };

/** What the clock of an open condition does next. */
export interface ConditionMoments {
  readonly reminders: readonly Instant[];
  readonly due: Instant;
  /** To whom it is given next, and when; null where the ladder is used up. */
  readonly escalation: { readonly at: Instant; readonly to: string } | null;
  /** When it becomes an exception; null before the ladder is used up, and while it is one. */
  readonly delayedAt: Instant | null;
}

/**
 * The clock of a condition, in working time of whoever is to see to it: due when it was said, else after the deadline of the policy.
 * Reminders come at shares of the working time until then. The first rung of the ladder is reached when it is due, each further one and at last
 * the exception after one more deadline; a question to the requester stops none of it. `delaysBefore` is how often it was an exception that is settled; null while
 * it is one. Refuses a calendar without working time.
 */
export function conditionMoments(
  condition: Pick<Condition, 'due' | 'setAt' | 'escalatedTo'>,
  terms: LadderTerms,
  calendar: WorkingCalendar,
  delaysBefore: number | null,
): ConditionMoments | Violation {
  const { workingMinutes, escalateTo } = terms;
  const due = condition.due ?? addWorkingMinutes(calendar, condition.setAt, workingMinutes);
  if (isViolation(due)) return due;
  const minutes = workingMinutesBetween(calendar, condition.setAt, due);
  if (isViolation(minutes)) return minutes;
  const known = slaMoments({ ...terms, workingMinutes: minutes }, calendar, condition.setAt);
  if (isViolation(known)) return known;
  const after = (deadlines: number): Instant | Violation =>
    deadlines <= 1 ? due : addWorkingMinutes(calendar, due, workingMinutes * (deadlines - 1));
  const rung = escalateTo.findIndex((to) => !condition.escalatedTo.includes(to));
  const to = escalateTo[rung];
  const escalatesAt = to === undefined ? null : after(rung + 1);
  const delayedAt = to !== undefined || delaysBefore === null ? null : after(deadlinesBeforeDelay(escalateTo.length, delaysBefore));
  if (isViolation(escalatesAt)) return escalatesAt;
  if (isViolation(delayedAt)) return delayedAt;
  const escalation = to === undefined || escalatesAt === null ? null : { at: escalatesAt, to };
  return { reminders: known.reminders, due, escalation, delayedAt };
}
