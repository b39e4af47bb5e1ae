import { hashOf } from '../db/hash';
import { ApiError, refused } from './errors';
import { TemporalSilent, type UpdateOutcome } from './gateway/gateway';

/**
 * The answer of an update as a route gives it: its result, or the refusal of a rule. Where no run took it, `noRun` answers from the
 * facts; where nobody answered in time, the outcome is unknown and the same request may be repeated.
 */
export async function answerOf<T, R>(
  sent: Promise<UpdateOutcome<T>>,
  then: (result: T) => R | Promise<R>,
  noRun: () => R | Promise<R>,
  pointerOf?: (path: string) => string,
): Promise<R> {
  const outcome = await orUnknown(sent);
  if (outcome.kind === 'refused') throw pointerOf ? refused(outcome.violation, pointerOf) : refused(outcome.violation);
  return outcome.kind === 'done' ? then(outcome.result) : noRun();
}

/** What changes something at Temporal: silence means that it may have happened. */
export function orUnknown<T>(sent: Promise<T>): Promise<T> {
  return sent.catch((error: unknown) => {
    throw error instanceof TemporalSilent ? new ApiError('OutcomeUnknown', 'no answer in time', { cause: error }) : error;
  });
}

/** What only reads from Temporal. */
export function orUnavailable<T>(asked: Promise<T>): Promise<T> {
  return asked.catch((error: unknown) => {
    throw error instanceof TemporalSilent ? new ApiError('TemporalUnavailable', 'no answer in time', { cause: error }) : error;
  });
}

/** Within a run the same id gives the first answer: so it names the content too, and leaves out the moment, which a repetition changes. */
export function updateIdOf(id: string, content: { readonly at: string }): string {
  return `${id}/${hashOf({ ...content, at: null }).slice(0, 16)}`;
}

/** The refusal where a rule of the API itself says no. */
export function refuse(code: string, detail: string): never {
  throw new ApiError(code, detail);
}
