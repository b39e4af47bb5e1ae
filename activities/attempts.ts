import { activityInfo } from '@temporalio/activity';
import { type ActivityDeps } from './deps';
import { reportStuck, reportUnstuck } from './exceptions';
import { Refusal } from './refusal';

/** A remote effect fails for about this many seconds before people are told: 1 + 2 + 4 + 8. */
const REPORTED_FROM_ATTEMPT = 5;

/**
 * An effect that keeps failing, by an outage or a bug of ours, is retried for a long time; so that nobody learns of it a day later, it
 * becomes a task of the operators within half a minute. The task is closed by the effect itself when it succeeds, and here when a rule
 * refuses it; where that fails, the attempt has failed, and the next one has the same answer.
 */
export function watched<I extends object, T>(deps: ActivityDeps, name: string, body: (input: I) => Promise<T>): (input: I) => Promise<T> {
  return async (input) => {
    const { attempt, isLocal } = activityInfo();
    if (isLocal || attempt < REPORTED_FROM_ATTEMPT) return body(input);
    const at = new Date().toISOString();
    try {
      return await body(input);
    } catch (error) {
      if (error instanceof Refusal) await reportUnstuck(deps)({ effect: name, at });
      else await reportStuck(deps)({ effect: name, why: causeOf(error, attempt), input, at }).catch(nothing);
      throw error;
    }
  };
}

/** Class and code only: the text of an error may hold what must not be written down. */
function causeOf(error: unknown, attempt: number): string {
  const name = error instanceof Error ? error.name : typeof error;
  const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : 'no code';
  return `fails again and again (${name}, ${code}), attempt ${attempt}; it goes on by itself when the cause is gone`;
}

/** The report fails where the database is what is down: the effect's own failure is what counts. */
const nothing = (): void => undefined;
