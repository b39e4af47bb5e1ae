import { isGrpcServiceError, ServiceError, WorkflowUpdateRPCTimeoutOrCancelledError } from '@temporalio/client';

/** No answer in time, or none at all: the request may or may not have had its effect. */
export class TemporalSilent extends Error {
  override readonly name = 'TemporalSilent';
}

/** The client has a deadline of its own, but goes on trying to connect after it: a timer behind it bounds the wait. */
export async function inTime<T>(made: Promise<T>, milliseconds: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new TemporalSilent('no answer in time')), milliseconds + 100);
  });
  try {
    return await Promise.race([made, silence]);
  } catch (error) {
    throw isSilence(error) ? new TemporalSilent('no answer', { cause: error }) : error;
  } finally {
    clearTimeout(timer);
  }
}

/** What a server says that has understood the request: invalid, already exists, denied, precondition, out of range, unimplemented. */
const UNDERSTOOD = new Set([3, 6, 7, 9, 11, 12]);

function isSilence(error: unknown): boolean {
  if (error instanceof TemporalSilent || error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) return true;
  const cause = error instanceof ServiceError ? error.cause : error;
  if (isGrpcServiceError(cause)) return !UNDERSTOOD.has(cause.code);
  return error instanceof ServiceError;
}
