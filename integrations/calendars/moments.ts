import type ICAL from 'ical.js' with { 'resolution-mode': 'import' };
import { addDays, isLocalDate } from '../../domain/calendar/dates';
import { atTime, fromEpochMs, epochMs, isTimeZone, startOfDay } from '../../domain/calendar/zone';
import { type Instant } from '../../domain/deal/terms';
import { isViolation, type Violation } from '../../domain/violation';

const DAY_SECONDS = 86_400;
const LONGEST_SECONDS = 3660 * DAY_SECONDS;
const WRITTEN = /^(\d{4}-\d\d-\d\d)(?:T((?:[01]\d|2[0-3]):[0-5]\d):([0-5]\d)(Z?))?$/;

/** The moment that a property says: in UTC, in the zone that it names, else in `timeZone`; of a whole day its beginning. */
export function momentOf(property: ICAL.Property, timeZone: string): Instant | Violation {
  const written = WRITTEN.exec(String(property.jCal[3]));
  const [, date = '', time, seconds = '0', utc] = written ?? [];
  if (property.jCal.length !== 4 || !isLocalDate(date) || date < '1900' || date >= '2200')
    return { violation: 'MomentMalformed', detail: 'not a date or a time that there is' };
  if (time === undefined) return startOfDay(date, timeZone);
  const named = String(property.getFirstParameter('tzid') ?? '');
  if (utc === 'Z') return fromEpochMs(Date.parse(`${date}T${time}:${seconds}Z`));
  if (named !== '' && !isTimeZone(named))
    return { violation: 'TimeZoneUnknown', detail: 'name a zone such as Europe/Berlin, or write UTC' };
  return fromEpochMs(epochMs(atTime(date, time, named === '' ? timeZone : named)) + Number(seconds) * 1000);
}

/** When an event ends: as `ending` says, a duration from its start, or its day where it says nothing. */
export function endOf(start: ICAL.Property, ending: ICAL.Property | null, timeZone: string): Instant | Violation {
  const days = start.type === 'date';
  if (ending?.name === 'dtend')
    return ending.type === start.type ? momentOf(ending, timeZone) : { violation: 'MomentMalformed', detail: 'a day ends with a day' };
  if (ending === null && !days) return { violation: 'Required', detail: 'an event ends at DTEND or after a DURATION' };
  const seconds = ending === null ? DAY_SECONDS : (ending.getFirstValue() as ICAL.Duration).toSeconds();
  if (!(seconds <= LONGEST_SECONDS) || (days && seconds % DAY_SECONDS !== 0))
    return { violation: 'DurationMalformed', detail: 'too long, or not whole days' };
  if (days)
    return seconds > 0
      ? startOfDay(addDays(String(start.jCal[3]), seconds / DAY_SECONDS), timeZone)
      : { violation: 'DurationMalformed', detail: 'no time at all' };
  const from = momentOf(start, timeZone);
  return isViolation(from) ? from : fromEpochMs(epochMs(from) + seconds * 1000);
}
