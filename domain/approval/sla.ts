import { addWorkingMinutes, workingMinutesBetween } from '../calendar/working-time';
import { nthWorkingDayAfter, type WorkingCalendar } from '../calendar/working-day';
import { endOfDay, localDateOf } from '../calendar/zone';
import { type Instant } from '../deal/terms';
import { divide, times, toSafeInteger } from '../decimal';
import { isViolation, type Violation } from '../violation';
import { type Pause } from './questions';

/** Working minutes a subject may wait, and at which share of them (percent) its holders are reminded. */
export interface SlaTerms {
  readonly workingMinutes: number;
  readonly remindAtPercent: readonly number[];
}

export interface SlaMoments {
  readonly reminders: readonly Instant[];
  /** Null while the clock stands still before it. */
  readonly due: Instant | null;
}

/**
 * When to remind and when an answer is due, in working time of the calendar of whoever must act; a share of minutes is rounded down
 * (R-067, RULES Approvals). Reminders at 100 % or more are left out, because then it is due. While the requester owes an answer nothing
 * passes: what was used up to a pause stays used, the rest runs from its end, and what was due before it stays where it was. Refuses
 * a calendar without working time.
 */
export function slaMoments(
  terms: SlaTerms,
  calendar: WorkingCalendar,
  openedAt: Instant,
  pauses: readonly Pause[] = [],
): SlaMoments | Violation {
  const due = momentOf(terms.workingMinutes, calendar, openedAt, pauses);
  if (isViolation(due)) return due;
  const reminders: Instant[] = [];
  for (const percent of [...terms.remindAtPercent].sort((a, b) => a - b)) {
    const minutes = toSafeInteger(divide(times(String(terms.workingMinutes), String(percent)), '100', 0, 'down'));
    if (minutes >= terms.workingMinutes) continue;
    const reminder = momentOf(minutes, calendar, openedAt, pauses);
    if (isViolation(reminder)) return reminder;
    if (reminder !== null) reminders.push(reminder);
  }
  return { reminders, due };
}

/**
 * The moment at which so many working minutes have been used; null where that is not before a pause that still lasts. Used are whole minutes:
 * the begun one at the start of a pause is given back. Pauses are in order and do not overlap.
 */
export function momentOf(
  minutes: number,
  calendar: WorkingCalendar,
  openedAt: Instant,
  pauses: readonly Pause[],
): Instant | null | Violation {
  let from = openedAt;
  let left = minutes;
  for (const pause of pauses) {
    const moment = addWorkingMinutes(calendar, from, left);
    if (isViolation(moment) || Date.parse(moment) <= Date.parse(pause.from)) return moment;
    if (pause.until === null) return null;
    const used = workingMinutesBetween(calendar, from, pause.from);
    if (isViolation(used)) return used;
    left -= Math.max(0, used);
    from = Date.parse(pause.until) > Date.parse(from) ? pause.until : from;
  }
  return addWorkingMinutes(calendar, from, left);
}

/**
 * When an undecided request ends by itself: at the end of the n-th working day after the day on which it was asked, on the calendar of its
 * entity. It passes by no pause, so that an answer that never comes ends too. Refuses a calendar without working days.
 */
export function expiryOf(workingDays: number, calendar: WorkingCalendar, askedAt: Instant): Instant | Violation {
  const day = nthWorkingDayAfter(calendar, localDateOf(askedAt, calendar.timeZone), workingDays);
  return isViolation(day) ? day : endOfDay(day, calendar.timeZone);
}
