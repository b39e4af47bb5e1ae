import { Temporal } from '@js-temporal/polyfill';
import { type Instant, type LocalDate } from '../deal/terms';
import { addDays } from './dates';

/*
 * Between instants and local dates. An instant is written as `Date.prototype.toISOString` does, with milliseconds and `Z`.
 * Unknown zones and malformed instants are bugs of the caller and throw; check outside input with `isTimeZone` and `isInstant`.
 */

/** True for an IANA time zone (or a fixed offset) known to this host. */
export function isTimeZone(text: unknown): boolean {
  if (typeof text !== 'string' || text === '') return false;
  try {
    Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(text);
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/** True for an ISO 8601 instant in UTC with `Z`, with or without fractions of a second. */
export function isInstant(text: unknown): boolean {
  if (typeof text !== 'string' || !/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?Z$/.test(text)) return false;
  const time = Date.parse(text);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text.slice(0, 10));
}

/** Local date at an instant. */
export function localDateOf(instant: Instant, timeZone: string): LocalDate {
  return Temporal.Instant.fromEpochMilliseconds(epochMs(instant)).toZonedDateTimeISO(timeZone).toPlainDate().toString();
}

/** First moment of a local date; where a clock change skips midnight, the first moment that exists. */
export function startOfDay(date: LocalDate, timeZone: string): Instant {
  return fromEpochMs(Temporal.PlainDate.from(date).toZonedDateTime(timeZone).epochMilliseconds);
}

/** End of a local date: the first moment of the next one (exclusive). */
export function endOfDay(date: LocalDate, timeZone: string): Instant {
  return startOfDay(addDays(date, 1), timeZone);
}

/**
 * The instant of a local time `HH:MM` on a date; `24:00` is the end of the day. A time skipped by a clock change moves forward by the
 * skipped span, a time that occurs twice means the first.
 */
export function atTime(date: LocalDate, time: string, timeZone: string): Instant {
  if (time === '24:00') return endOfDay(date, timeZone);
  if (!/^([01]\d|2[0-3]):[0-5]\d$/.test(time)) throw new RangeError(`not a time of day: ${time}`);
  return fromEpochMs(Temporal.PlainDateTime.from(`${date}T${time}`).toZonedDateTime(timeZone).epochMilliseconds);
}

/** An instant as somebody in the zone reads it, such as `2026-04-01 17:00 Europe/Berlin`. */
export function localTimeText(instant: Instant, timeZone: string): string {
  const local = Temporal.Instant.fromEpochMilliseconds(epochMs(instant)).toZonedDateTimeISO(timeZone);
  return `${local.toPlainDate().toString()} ${local.toPlainTime().toString({ smallestUnit: 'minute' })} ${timeZone}`;
}

/** -1, 0 or 1 by moment, whatever the number of fraction digits. */
export function compareInstants(a: Instant, b: Instant): -1 | 0 | 1 {
  const [first, second] = [epochMs(a), epochMs(b)];
  return first < second ? -1 : first > second ? 1 : 0;
}

/** Milliseconds since 1970 of an instant. */
export function epochMs(instant: Instant): number {
  if (!isInstant(instant)) throw new RangeError(`not an instant: ${instant}`);
  return Date.parse(instant);
}

/** The instant so many milliseconds after 1970. */
export function fromEpochMs(milliseconds: number): Instant {
  return new Date(milliseconds).toISOString();
}
