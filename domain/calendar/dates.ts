import { type LocalDate, type Month } from '../deal/terms';

/*
 * Dates and months without a time zone. Plain arithmetic on the proleptic Gregorian calendar: no time-zone data is involved.
 * Malformed input is a bug of the caller and throws; check outside input with `isLocalDate` and `isMonth`.
 */

export type Weekday = 'MO' | 'TU' | 'WE' | 'TH' | 'FR' | 'SA' | 'SU';

const DAY_MS = 86_400_000;
const WEEKDAYS: readonly Weekday[] = ['SU', 'MO', 'TU', 'WE', 'TH', 'FR', 'SA'];

/** True for a `YYYY-MM-DD` that exists. */
export function isLocalDate(text: unknown): boolean {
  return typeof text === 'string' && timeOf(text) !== null;
}

/** True for a `YYYY-MM` that exists. */
export function isMonth(text: unknown): boolean {
  return typeof text === 'string' && isLocalDate(`${text}-01`);
}

/** The date `days` calendar days later (earlier if negative). */
export function addDays(date: LocalDate, days: number): LocalDate {
  return write(read(date) + whole(days) * DAY_MS);
}

/** Calendar days from `from` to `to`; negative if `to` is earlier. */
export function daysBetween(from: LocalDate, to: LocalDate): number {
  return (read(to) - read(from)) / DAY_MS;
}

/** Day of the week. */
export function weekdayOf(date: LocalDate): Weekday {
  return WEEKDAYS[new Date(read(date)).getUTCDay()] as Weekday;
}

/** Calendar month of a date. */
export function monthOf(date: LocalDate): Month {
  return write(read(date)).slice(0, 7);
}

/** The month `months` months later (earlier if negative). */
export function addMonths(month: Month, months: number): Month {
  const first = new Date(read(firstOfMonth(month)));
  return monthOf(write(first.setUTCMonth(first.getUTCMonth() + whole(months))));
}

/** The following month. */
export function nextMonth(month: Month): Month {
  return addMonths(month, 1);
}

/** First day of a month. */
export function firstOfMonth(month: Month): LocalDate {
  return write(read(`${month}-01`));
}

/** Last day of a month. */
export function lastOfMonth(month: Month): LocalDate {
  return addDays(firstOfMonth(nextMonth(month)), -1);
}

/** Number of days of a month, 28 to 31. */
export function daysInMonth(month: Month): number {
  return daysBetween(firstOfMonth(month), firstOfMonth(nextMonth(month)));
}

/** Every month from `first` to `last`, both included; empty if `last` is earlier. */
export function monthsBetween(first: Month, last: Month): Month[] {
  const months: Month[] = [];
  for (let month = monthOf(firstOfMonth(first)); month <= last; month = nextMonth(month)) months.push(month);
  return months;
}

function read(date: LocalDate): number {
  const time = timeOf(date);
  if (time === null) throw new RangeError(`not a date: ${date}`);
  return time;
}

/** Midnight in UTC; null for what is no date, also for one that the engine would read as a day of the next month. */
function timeOf(text: string): number | null {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return null;
  const time = Date.parse(`${text}T00:00:00Z`);
  const isThere = !Number.isNaN(time) && new Date(time).getUTCDate() === Number(text.slice(8));
  return isThere ? time : null;
}

function write(time: number): LocalDate {
  const text = new Date(time).toISOString();
  // Other years have a sign and six digits.
  if (text.length !== 24) throw new RangeError('beyond the years 0000 to 9999');
  return text.slice(0, 10);
}

function whole(count: number): number {
  if (!Number.isSafeInteger(count)) throw new RangeError(`not a whole number: ${count}`);
  return count;
}
