import { addDays } from '../calendar/dates';
import { isWorkingDay } from '../calendar/working-day';
import { atTime, epochMs, localDateOf } from '../calendar/zone';
import { type Instant, type LocalDate } from '../deal/terms';
import { known, type PolicyPerson, type TimeBreach, type TimeEntry } from './entry';
import { type DeliveryTerm } from './labour';
import { mondayOf, mondayReader } from './weeks';

/** A booking of a person, days included at both ends. Absence is ordinary or long leave. */
export interface PolicyBooking {
  readonly personId: string;
  readonly kind: 'project' | 'absence';
  readonly firm: boolean;
  readonly startDate: LocalDate;
  readonly endDate: LocalDate;
}

/** When the time of a week is due: Monday noon after it, in the zone of the person's calendar (S-21). */
const DUE_AT = '12:00';

/** Entries that came late or still wait for approval; `entries` are those that count (R-116, S-21, S-39). */
export function submissionBreaches(entries: readonly TimeEntry[], people: ReadonlyMap<string, PolicyPerson>): TimeBreach[] {
  const due = new Map<string, number>();
  const weekOf = mondayReader();
  return entries.flatMap((entry) => {
    const { timeZone } = known(people, entry.personId).calendar;
    const monday = weekOf(entry.workDate);
    const key = `${timeZone}|${monday}`;
    let moment = due.get(key);
    if (moment === undefined) due.set(key, (moment = epochMs(atTime(addDays(monday, 7), DUE_AT, timeZone))));
    const breaches: TimeBreach[] = [];
    if (epochMs(entry.submittedAt) > moment) breaches.push({ code: 'LATE_SUBMISSION', reference: entry.entryId });
    if (entry.status === 'submitted') breaches.push({ code: 'NOT_APPROVED', reference: entry.entryId });
    return breaches;
  });
}

/** The last Sunday whose week is due at a moment in every one of some zones (S-21). */
export function lastDueDay(at: Instant, timeZones: readonly string[]): LocalDate {
  const sundays = timeZones.map((zone) => {
    const monday = mondayOf(localDateOf(at, zone));
    return addDays(monday, epochMs(at) > epochMs(atTime(monday, DUE_AT, zone)) ? -1 : -8);
  });
  return sundays.reduce((a, b) => (b < a ? b : a), at.slice(0, 10));
}

/**
 * Weeks without an entry in which a firm booking on the project covers at least one working day of the term that is no leave (R-116, S-21).
 * `entries` are those that count; the caller ends the term with the last week whose time is due.
 */
export function missingWeeks(
  entries: readonly Pick<TimeEntry, 'personId' | 'workDate'>[],
  bookings: readonly PolicyBooking[],
  people: ReadonlyMap<string, PolicyPerson>,
  term: DeliveryTerm,
): TimeBreach[] {
  const weekOf = mondayReader();
  const entered = new Set(entries.map((entry) => `${entry.personId}/${weekOf(entry.workDate)}`));
  const absences = absencesByPerson(bookings);
  const expected = new Set<string>();
  for (const booking of bookings) {
    if (booking.kind !== 'project' || !booking.firm) continue;
    const { calendar } = known(people, booking.personId);
    const absent = absences.get(booking.personId) ?? [];
    const from = booking.startDate < term.from ? term.from : booking.startDate;
    const to = booking.endDate > term.to ? term.to : booking.endDate;
    for (let date = from; date <= to; date = addDays(date, 1)) {
      if (!isWorkingDay(calendar, date) || absent.some((leave) => leave.startDate <= date && date <= leave.endDate)) continue;
      const monday = weekOf(date);
      expected.add(`${booking.personId}/${monday}`);
      date = addDays(monday, 6);
    }
  }
  return [...expected]
    .filter((week) => !entered.has(week))
    .sort()
    .map((reference) => ({ code: 'MISSING_WEEK', reference }));
}

function absencesByPerson(bookings: readonly PolicyBooking[]): Map<string, PolicyBooking[]> {
  const absences = new Map<string, PolicyBooking[]>();
  for (const booking of bookings) {
    if (booking.kind !== 'absence' || !booking.firm) continue;
    const own = absences.get(booking.personId);
    if (own === undefined) absences.set(booking.personId, [booking]);
    else own.push(booking);
  }
  return absences;
}
