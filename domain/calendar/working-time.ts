import { type Instant, type LocalDate } from '../deal/terms';
import { type Violation } from '../violation';
import { addDays } from './dates';
import { firstWorkingDayAfter, firstWorkingDayOnOrAfter, isWorkingDay, type WorkingCalendar } from './working-day';
import { atTime, endOfDay, epochMs, fromEpochMs, isTimeZone, localDateOf, startOfDay } from './zone';

const MINUTE_MS = 60_000;

/** Working span of one day, in milliseconds since 1970, end exclusive. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

const spansOf = new WeakMap<WorkingCalendar, Map<LocalDate, Span>>();

/**
 * The moment at which `minutes` working minutes have passed since `from`, counted in elapsed time, so that a clock change inside a working
 * day lengthens or shortens it. Nothing passes outside working time; a full day ends at `dayEnd` and not on the next morning; 0 gives
 * `from`. Refuses a calendar without working time; throws for a negative or fractional count.
 */
export function addWorkingMinutes(calendar: WorkingCalendar, from: Instant, minutes: number): Instant | Violation {
  if (!Number.isSafeInteger(minutes) || minutes < 0) throw new RangeError(`not a count of minutes: ${minutes}`);
  const refused = calendarWithoutTime(calendar);
  if (refused !== null) return refused;
  const start = epochMs(from);
  let left = minutes * MINUTE_MS;
  if (left === 0) return fromEpochMs(start);
  let day = firstWorkingDayOnOrAfter(calendar, localDateOf(from, calendar.timeZone));
  while (typeof day === 'string') {
    const span = spanOf(calendar, day);
    const begin = Math.max(span.start, start);
    const available = Math.max(0, span.end - begin);
    if (left <= available) return fromEpochMs(begin + left);
    left -= available;
    day = firstWorkingDayAfter(calendar, day);
  }
  return day;
}

/** Whole working minutes that pass from `from` to `to`; negative if `to` is earlier. The inverse of `addWorkingMinutes`. */
export function workingMinutesBetween(calendar: WorkingCalendar, from: Instant, to: Instant): number | Violation {
  const refused = calendarWithoutTime(calendar);
  if (refused !== null) return refused;
  const [start, end] = [epochMs(from), epochMs(to)];
  const sign = start <= end ? 1 : -1;
  const earlier = Math.min(start, end);
  const later = Math.max(start, end);
  const lastDay = localDateOf(fromEpochMs(later), calendar.timeZone);
  let passed = 0;
  for (let day = localDateOf(fromEpochMs(earlier), calendar.timeZone); day <= lastDay; day = addDays(day, 1)) {
    if (!isWorkingDay(calendar, day)) continue;
    const span = spanOf(calendar, day);
    passed += Math.max(0, Math.min(span.end, later) - Math.max(span.start, earlier));
  }
  const whole = Math.floor(passed / MINUTE_MS);
  return whole === 0 ? 0 : sign * whole;
}

/** The refusal of a calendar in which no working time can ever pass, or whose zone is unknown; null for a usable one. */
export function calendarWithoutTime(calendar: WorkingCalendar): Violation | null {
  if (calendar.workingWeekdays.length === 0)
    return { violation: 'CalendarWithoutWorkingDay', detail: `${calendar.calendarId} has no working weekday` };
  if (calendar.dayEnd <= calendar.dayStart)
    return { violation: 'CalendarWithoutWorkingTime', detail: `${calendar.calendarId}: ${calendar.dayStart} to ${calendar.dayEnd}` };
  return isTimeZone(calendar.timeZone) ? null : { violation: 'TimeZoneUnknown', detail: `${calendar.calendarId}: ${calendar.timeZone}` };
}

/** The working span of a working day; remembered per calendar and day, because each look-up of the time zone costs as much as a page of arithmetic. */
export function spanOf(calendar: WorkingCalendar, day: LocalDate): Span {
  const known = spansOf.get(calendar) ?? new Map<LocalDate, Span>();
  spansOf.set(calendar, known);
  const span = known.get(day) ?? makeSpan(calendar, day);
  known.set(day, span);
  return span;
}

/** Kept inside its own day, so that a date which a zone skipped altogether counts nothing. */
function makeSpan({ dayStart, dayEnd, timeZone }: WorkingCalendar, day: LocalDate): Span {
  const dayBegins = epochMs(startOfDay(day, timeZone));
  const dayEnds = epochMs(endOfDay(day, timeZone));
  return {
    start: Math.max(dayBegins, epochMs(atTime(day, dayStart, timeZone))),
    end: Math.min(dayEnds, epochMs(atTime(day, dayEnd, timeZone))),
  };
}
