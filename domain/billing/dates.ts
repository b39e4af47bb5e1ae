import { addDays, firstOfMonth, nextMonth } from '../calendar/dates';
import { firstWorkingDayAfter, firstWorkingDayOnOrAfter, nthWorkingDayAfter, type WorkingCalendar } from '../calendar/working-day';
import { endOfDay, localDateOf, startOfDay } from '../calendar/zone';
import { type Instant, type LocalDate, type Month } from '../deal/terms';
import { isViolation, type Violation } from '../violation';

/*
 * Dates of runs, documents and acceptance. Calendars are those of the selling entity unless a name says otherwise; a calendar without
 * working days is a refusal. Not for workflows: time zones are resolved in activities, which return dates and instants.
 */

const CUT_OFF_DAY = 6;

/** Advance invoices of a month are issued on its first working day (R-044, S-11). */
export function advanceIssueDate(calendar: WorkingCalendar, month: Month): LocalDate | Violation {
  return firstWorkingDayOnOrAfter(calendar, firstOfMonth(month));
}

/** Arrears invoices of a month are issued on the first working day on or after the cut-off day of the next month (R-044, S-11). */
export function arrearsIssueDate(calendar: WorkingCalendar, month: Month, cutOffDay = CUT_OFF_DAY): LocalDate | Violation {
  return firstWorkingDayOnOrAfter(calendar, cutOffDate(month, cutOffDay));
}

/** The run for a month takes what was approved before this moment: the start of the cut-off day of the next month (R-045, S-10). */
export function runCutOff(month: Month, timeZone: string, cutOffDay = CUT_OFF_DAY): Instant {
  return startOfDay(cutOffDate(month, cutOffDay), timeZone);
}

/** Milestone invoices are issued on the first working day after acceptance (R-044, S-11). */
export function milestoneIssueDate(calendar: WorkingCalendar, acceptedOn: LocalDate): LocalDate | Violation {
  return firstWorkingDayAfter(calendar, acceptedOn);
}

/** Issue date plus payment terms in calendar days, not shifted (R-046, S-12). */
export function dueDate(issueDate: LocalDate, termsDays: number): LocalDate {
  return addDays(issueDate, termsDays);
}

/**
 * A document is issued on its planned date unless its approval came later: then on the first working day on or after the local date of
 * the approval, because no document carries a date before the decision that released it (R-047, D15).
 */
export function issueDateAfterApproval(
  calendar: WorkingCalendar,
  planned: LocalDate,
  approvedAt: Instant,
  timeZone: string,
): LocalDate | Violation {
  const approvedOn = localDateOf(approvedAt, timeZone);
  return approvedOn <= planned ? planned : firstWorkingDayOnOrAfter(calendar, approvedOn);
}

/** Acceptance in writing counts on its date in the selling entity's time zone (R-048, S-14). */
export function acceptanceDate(writtenAt: Instant, entityTimeZone: string): LocalDate {
  return localDateOf(writtenAt, entityTimeZone);
}

/**
 * Silence is acceptance on the n-th working day of the customer's calendar after the local delivery date; it takes effect when that day
 * has ended in the customer's time zone (R-048, S-14).
 */
export function deemedAcceptance(
  deliveredAt: Instant,
  customerCalendar: WorkingCalendar,
  businessDays: number,
): { readonly date: LocalDate; readonly moment: Instant } | Violation {
  const date = nthWorkingDayAfter(customerCalendar, localDateOf(deliveredAt, customerCalendar.timeZone), businessDays);
  return isViolation(date) ? date : { date, moment: endOfDay(date, customerCalendar.timeZone) };
}

function cutOffDate(month: Month, cutOffDay: number): LocalDate {
  if (!Number.isInteger(cutOffDay) || cutOffDay < 1 || cutOffDay > 28) throw new RangeError(`not a cut-off day: ${cutOffDay}`);
  return addDays(firstOfMonth(nextMonth(month)), cutOffDay - 1);
}
