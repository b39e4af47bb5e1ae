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

function localDateOf(millis: number, timeZone: string): string {
  const parts = new Intl.DateTimeFormat('en-US', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' }).formatToParts(millis);
  const part = (type: string): string => parts.find((each) => each.type === type)?.value ?? '';
  return `${part('year')}-${part('month')}-${part('day')}`;
}
