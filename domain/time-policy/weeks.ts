import { addDays, daysBetween } from '../calendar/dates';
import { type LocalDate } from '../deal/terms';

const A_MONDAY = '1970-01-05';

/** The Monday of the week of a date (weeks run Monday to Sunday, S-21). */
export function mondayOf(date: LocalDate): LocalDate {
  const passed = daysBetween(A_MONDAY, date) % 7;
  return addDays(date, -(passed < 0 ? passed + 7 : passed));
}

/** The Mondays on or after `from` whose week starts on or before `to`: the last week may end after it (S-21). */
export function mondaysBetween(from: LocalDate, to: LocalDate): LocalDate[] {
  const weeks: LocalDate[] = [];
  const first = mondayOf(from);
  for (let monday = first < from ? addDays(first, 7) : first; monday <= to; monday = addDays(monday, 7)) weeks.push(monday);
  return weeks;
}

/** `mondayOf` for many dates of few weeks: each is worked out once. */
export function mondayReader(): (date: LocalDate) => LocalDate {
  const known = new Map<LocalDate, LocalDate>();
  return (date) => {
    const found = known.get(date) ?? mondayOf(date);
    known.set(date, found);
    return found;
  };
}
