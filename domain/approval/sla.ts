import { addWorkingMinutes, workingMinutesBetween } from '../calendar/working-time';
import { type WorkingCalendar } from '../calendar/working-day';
import { type Instant } from '../deal/terms';
import { divide, times, toSafeInteger } from '../decimal';
import { isViolation, type Violation } from '../violation';

/** Working minutes a subject may wait, and at which share of them (percent) its holders are reminded. */
export interface SlaTerms {
  readonly workingMinutes: number;
  readonly remindAtPercent: readonly number[];
}

export interface SlaMoments {
  readonly reminders: readonly Instant[];
  readonly due: Instant;
}

/**
 * When to remind and when an answer is due, in working time of the calendar of whoever must act; a share of minutes is rounded down
 * (R-067, RULES Approvals). Reminders at 100 % or more are left out, because then it is due. Refuses a calendar without working time.
 */
export function slaMoments(terms: SlaTerms, calendar: WorkingCalendar, openedAt: Instant): SlaMoments | Violation {
  return momentsAfter(terms, calendar, openedAt, 0);
}

/**
 * The moments after a pause in which the requester owed an answer: what was used up to the pause stays used, the rest runs from the
 * resumption (R-067, RULES Approvals). Reminders that were due before the pause are not repeated.
 */
export function slaMomentsAfterPause(
  terms: SlaTerms,
  calendar: WorkingCalendar,
  openedAt: Instant,
  pausedAt: Instant,
  resumedAt: Instant,
): SlaMoments | Violation {
  const used = workingMinutesBetween(calendar, openedAt, pausedAt);
  return isViolation(used) ? used : momentsAfter(terms, calendar, resumedAt, Math.max(0, used));
}

function momentsAfter(terms: SlaTerms, calendar: WorkingCalendar, from: Instant, usedMinutes: number): SlaMoments | Violation {
  const due = addWorkingMinutes(calendar, from, Math.max(0, terms.workingMinutes - usedMinutes));
  if (isViolation(due)) return due;
  const reminders: Instant[] = [];
  for (const percent of [...terms.remindAtPercent].sort((a, b) => a - b)) {
    const minutes = toSafeInteger(divide(times(String(terms.workingMinutes), String(percent)), '100', 0, 'down'));
    if (minutes >= terms.workingMinutes || minutes < usedMinutes) continue;
    const reminder = addWorkingMinutes(calendar, from, minutes - usedMinutes);
    if (isViolation(reminder)) return reminder;
    reminders.push(reminder);
  }
  return { reminders, due };
}
