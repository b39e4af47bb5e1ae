import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import { type Violation } from '../domain/violation';

/** A rule said no. Carries the violation out of a transaction so that everything in it is rolled back (DESIGN §9, D18). */
export class Refusal extends Error {
  override readonly name = 'Refusal';

  constructor(readonly violation: Violation) {
    super(`${violation.violation}: ${violation.detail}`);
  }
}

/** The refusal as Temporal carries it: never retried, no alarm in logs and metrics, its type is the code of the violation, its only detail the violation. */
export function toApplicationFailure(refusal: Refusal): ApplicationFailure {
  const { violation } = refusal;
  return ApplicationFailure.create({
    type: violation.violation,
    message: violation.detail,
    nonRetryable: true,
    category: ApplicationFailureCategory.BENIGN,
    details: [violation],
    cause: refusal,
  });
}

/** Wraps an activity: a refusal leaves it as a typed, non-retryable failure; an outage and a bug leave it as they are. */
export function activity<A extends unknown[], T>(body: (...args: A) => Promise<T>): (...args: A) => Promise<T> {
  return async (...args) => {
    try {
      return await body(...args);
    } catch (error) {
      throw error instanceof Refusal ? toApplicationFailure(error) : error;
    }
  };
}
