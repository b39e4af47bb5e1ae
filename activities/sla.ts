import { addWorkingMinutes } from '../domain/calendar/working-time';
import { type WorkingCalendar } from '../domain/calendar/working-day';
import { type Instant } from '../domain/deal/terms';
import { isViolation } from '../domain/violation';

/** When a person's working-time deadline ends; null where the policy sets none or the calendar has no working time. */
export function deadline(calendar: WorkingCalendar, since: Instant, workingMinutes: number | null): Instant | null {
  if (workingMinutes === null) return null;
  const due = addWorkingMinutes(calendar, since, workingMinutes);
  return isViolation(due) ? null : due;
}
