import { type Decimal } from '../decimal';
import { type LocalDate } from '../deal/terms';
import { type Violation } from '../violation';
import { addDays, weekdayOf, type Weekday } from './dates';

/**
 * A working calendar as plain JSON. Working time of a working day is the span `dayStart` to `dayEnd` of its time zone (`HH:MM`, the end may
 * be `24:00`), breaks not deducted; `hoursPerDay` is capacity for planning and plays no part in working time.
 */
export interface WorkingCalendar {
  readonly calendarId: string;
  readonly timeZone: string;
  readonly workingWeekdays: readonly Weekday[];
  readonly dayStart: string;
  readonly dayEnd: string;
  readonly hoursPerDay: Decimal;
  readonly holidays: readonly LocalDate[];
}

/** Longest run of days off that is looked through; a calendar with a longer one has no working day. */
const MAX_DAYS_OFF = 366;

const holidaySets = new WeakMap<readonly LocalDate[], ReadonlySet<LocalDate>>();

/** True on a working weekday that is no holiday (R-012, S-47). */
export function isWorkingDay(calendar: WorkingCalendar, date: LocalDate): boolean {
  return calendar.workingWeekdays.includes(weekdayOf(date)) && !holidaysOf(calendar).has(date);
}

/** The date itself if it is a working day, else the next one; refuses a calendar without working days (R-013, S-11). */
export function firstWorkingDayOnOrAfter(calendar: WorkingCalendar, date: LocalDate): LocalDate | Violation {
  let day = date;
  for (let passed = 0; passed <= MAX_DAYS_OFF; passed += 1) {
    if (isWorkingDay(calendar, day)) return day;
    day = addDays(day, 1);
  }
  return {
    violation: 'CalendarWithoutWorkingDay',
    detail: `${calendar.calendarId} has no working day within ${MAX_DAYS_OFF} days of ${date}`,
  };
}

/** The first working day strictly after a date (R-013, S-11). */
export function firstWorkingDayAfter(calendar: WorkingCalendar, date: LocalDate): LocalDate | Violation {
  return firstWorkingDayOnOrAfter(calendar, addDays(date, 1));
}

/** The n-th working day strictly after a date, n ≥ 1; n = 0 gives the date itself (R-013, S-14). Throws for a negative n. */
export function nthWorkingDayAfter(calendar: WorkingCalendar, date: LocalDate, n: number): LocalDate | Violation {
  if (!Number.isSafeInteger(n) || n < 0) throw new RangeError(`not a count of working days: ${n}`);
  let day = date;
  for (let counted = 0; counted < n; counted += 1) {
    const next = firstWorkingDayAfter(calendar, day);
    if (typeof next !== 'string') return next;
    day = next;
  }
  return day;
}

function holidaysOf(calendar: WorkingCalendar): ReadonlySet<LocalDate> {
  const known = holidaySets.get(calendar.holidays);
  if (known !== undefined) return known;
  const made = new Set(calendar.holidays);
  holidaySets.set(calendar.holidays, made);
  return made;
}
