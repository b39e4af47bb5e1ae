import { addDays } from '../calendar/dates';
import { atTime, compareInstants, localDateOf } from '../calendar/zone';
import { type Instant } from '../deal/terms';

/** After so many attempts, about a day, a message is a dead letter. */
export const MAX_ATTEMPTS = 10;

const FIRST_SECONDS = 10;
const LONGEST_SECONDS = 6 * 3600;
const SPREAD = 0.2;

/**
 * How long after its attempt number `attempts` a message is tried again: 10 s, 40 s, … at most 6 h, a fifth more or less by `chance` (0 to
 * 1), so that what failed together does not come back together. Null after the last one: it is a dead letter then.
 */
export function secondsToNextAttempt(attempts: number, chance: number): number | null {
  if (attempts >= MAX_ATTEMPTS) return null;
  const wait = Math.min(FIRST_SECONDS * 4 ** (attempts - 1), LONGEST_SECONDS);
  return Math.round(wait * (1 - SPREAD + 2 * SPREAD * chance));
}

/** The next moment at which it is that hour where the person is, later than `now`. */
export function nextDigest(now: Instant, hour: number, timeZone: string): Instant {
  const time = `${String(hour).padStart(2, '0')}:00`;
  const today = localDateOf(now, timeZone);
  const moment = atTime(today, time, timeZone);
  return compareInstants(moment, now) > 0 ? moment : atTime(addDays(today, 1), time, timeZone);
}
