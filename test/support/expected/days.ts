/** Dates, zones and working days of the recomputation: plain text dates, `Date.UTC` and `Intl` only. */
export interface Calendar {
  readonly id: string;
  readonly timeZone: string;
  readonly workingWeekdays: readonly string[];
  readonly holidays: readonly { readonly date: string }[];
}

const DAY = 86_400_000;
const WEEKDAYS = ['SU', 'MO', 'TU', 'WE', 'TH', 'FR', 'SA'];

const utc = (date: string): number => Date.parse(`${date}T00:00:00Z`);

export const addDays = (date: string, days: number): string => new Date(utc(date) + days * DAY).toISOString().slice(0, 10);
export const daysFrom = (from: string, to: string): number => Math.round((utc(to) - utc(from)) / DAY);
export const monthOf = (date: string): string => date.slice(0, 7);
export const firstOf = (month: string): string => `${month}-01`;
export const monthAfter = (month: string): string => monthOf(addDays(firstOf(month), 31));
export const lastOf = (month: string): string => addDays(firstOf(monthAfter(month)), -1);

/** The Monday of the week of a date. */
export const mondayOf = (date: string): string => addDays(date, -((new Date(utc(date)).getUTCDay() + 6) % 7));

/** Every calendar month that a term touches. */
export function monthsOf(startDate: string, endDate: string): string[] {
  const months: string[] = [];
  for (let month = monthOf(startDate); month <= monthOf(endDate); month = monthAfter(month)) months.push(month);
  return months;
}

export function isWorkingDay(calendar: Calendar, date: string): boolean {
  const weekday = WEEKDAYS[new Date(utc(date)).getUTCDay()] ?? '';
  return calendar.workingWeekdays.includes(weekday) && !calendar.holidays.some((holiday) => holiday.date === date);
}

/** The date itself, or the next working day. */
export function workingDayFrom(calendar: Calendar, date: string): string {
  let day = date;
  while (!isWorkingDay(calendar, day)) day = addDays(day, 1);
  return day;
}

/** The n-th working day after a date. */
export function workingDayAfter(calendar: Calendar, date: string, n: number): string {
  let day = date;
  for (let left = n; left > 0; left -= 1) day = workingDayFrom(calendar, addDays(day, 1));
  return day;
}

/** The local date of an instant. */
export function localDate(instant: string, timeZone: string): string {
  return localDateOf(Date.parse(instant), timeZone);
}

/** The moment at which a local day is over: the first millisecond of the next one. */
export function endOfDay(date: string, timeZone: string): number {
  let before = utc(date) - DAY;
  let after = utc(date) + 3 * DAY;
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (localDateOf(middle, timeZone) > date) after = middle;
    else before = middle;
  }
  return after;
}

/** What clock and calendar on the wall show at an instant: `2026-07-06T12:00:00.000`. */
export function wallClock(instant: string, timeZone: string): string {
  const millis = Date.parse(instant);
  return `${wall(millis, timeZone)}.${String(((millis % 1000) + 1000) % 1000).padStart(3, '0')}`;
}

const localDateOf = (millis: number, timeZone: string): string => wall(millis, timeZone).slice(0, 10);

const clocks = new Map<string, Intl.DateTimeFormat>();

function wall(millis: number, timeZone: string): string {
  const two = '2-digit';
  const clock =
    clocks.get(timeZone) ??
    new Intl.DateTimeFormat('en-US', { timeZone, hourCycle: 'h23', year: 'numeric', month: two, day: two, hour: two, minute: two, second: two }); // prettier-ignore
  clocks.set(timeZone, clock);
  const parts = Object.fromEntries(clock.formatToParts(millis).map(({ type, value }) => [type, value]));
  return `${parts.year}-${parts.month}-${parts.day}T${parts.hour}:${parts.minute}:${parts.second}`;
}
