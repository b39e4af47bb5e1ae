/** A refusal as a value: the rule that was broken (stable PascalCase code), what was found, and where (JSON pointer or path) if it has a place. */
export interface Violation {
  readonly violation: string;
  readonly detail: string;
  readonly path?: string;
}

/** True for a refusal, so that callers can branch without exceptions. */
export function isViolation(value: unknown): value is Violation {
  return typeof value === 'object' && value !== null && 'violation' in value && typeof (value as Violation).violation === 'string';
}

/** Several refusals of one input, each with its path, so that everything wrong is told at once. */
export interface InvalidInput extends Violation {
  readonly errors: readonly Violation[];
}
