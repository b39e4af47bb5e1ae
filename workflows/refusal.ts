import { ActivityFailure, ApplicationFailure } from '@temporalio/workflow';
import { isViolation, type Violation } from '../domain/violation';

/** A refusal as Temporal carries it: typed by its code, never retried (D18). */
export function refusal(violation: Violation): ApplicationFailure {
  return ApplicationFailure.create({ type: violation.violation, message: violation.detail, nonRetryable: true, details: [violation] });
}

/** Throws where a rule refuses; used by validators and handlers. */
export function refuseIf(outcome: unknown): void {
  if (isViolation(outcome)) throw refusal(outcome);
}

/** The refusal inside a failed effect, or null where the failure is an outage or a bug. */
export function refusalIn(error: unknown): ApplicationFailure | null {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  return cause instanceof ApplicationFailure && cause.nonRetryable === true && isViolation(cause.details?.[0]) ? cause : null;
}
