import { isViolation, type Violation } from '../domain/violation';
import { conflicts } from './error-codes/conflicts';
import { requests } from './error-codes/requests';
import { type ErrorRow } from './error-codes/row';
import { rules } from './error-codes/rules';

/** The one table of error codes (DESIGN §9), in three parts: a code that a person can meet has its status, sentence and action there and nowhere else. */
const table: ReadonlyMap<string, ErrorRow> = new Map([...requests, ...conflicts, ...rules]);

/** The row of a code; undefined for one that nobody gave a row, which is a bug (answered as `InternalError`). */
export function errorRow(code: string): ErrorRow | undefined {
  return table.get(code);
}

/**
 * Refusals that pass by themselves, or by naming the version that stands now: the same request may be taken later, so they are not kept as
 * the answer of its key.
 */
const PASSING: ReadonlySet<string> = new Set([
  'CloseChecklistOpen',
  'DealNotStarted',
  'LineNotActive',
  'MilestoneNotDelivered',
  'PreconditionFailed',
  'PreconditionRequired',
  'ProjectNotClosing',
  'RunMissing',
  'TermsNotExpected',
  'TierNotOpen',
  'TooManyRequests',
]);

/** True where the same request may be taken a moment later, though nobody corrects it. */
export function isPassing(code: string): boolean {
  return PASSING.has(code) || (errorRow(code)?.status ?? 500) >= 500;
}

/** Every code a caller can meet, for the documentation and the tests. */
export function errorCodes(): string[] {
  return [...table.keys()].sort();
}

export interface WrongField {
  readonly pointer: string;
  readonly code: string;
  readonly detail: string;
}

export interface ErrorExtras {
  readonly errors?: readonly WrongField[];
  readonly inboxEventId?: string;
  readonly checks?: Readonly<Record<string, 'ok' | 'failed'>>;
  readonly retryAfterSeconds?: number;
  /** The tag that stands now, where another one was asked for. */
  readonly currentTag?: string;
  /** True where the request may still have its effect: its repetition has to wait for the same outcome. */
  readonly underWay?: boolean;
  readonly cause?: unknown;
}

/** A refusal or an outage on its way to the caller; its code has a row in the table. */
export class ApiError extends Error {
  override readonly name = 'ApiError';

  constructor(
    readonly code: string,
    readonly detail: string,
    readonly extras: ErrorExtras = {},
  ) {
    super(`${code}: ${detail}`, { cause: extras.cause });
  }
}

/** A violation as it comes from an effect: with those inside it, or with the tag that stands now. */
type Refused = Violation & { readonly errors?: readonly Violation[]; readonly currentTag?: string };

/** A rule said no: its violation as an answer. The violations inside it become the wrong fields. */
export function refused(violation: Refused, pointerOf = pointer): ApiError {
  const inner = violation.errors ?? (violation.path === undefined ? [] : [violation]);
  const errors = inner.map((each) => ({ pointer: pointerOf(each.path ?? ''), code: each.violation, detail: each.detail }));
  const { violation: code, detail, currentTag } = violation;
  return new ApiError(code, detail, { ...(errors.length > 0 ? { errors } : {}), ...(currentTag === undefined ? {} : { currentTag }) });
}

/** Rules name places by dots or as a JSON pointer; answers always by pointer. */
function pointer(path: string): string {
  return path === '' || path.startsWith('/') ? path : `/${path.replaceAll('.', '/')}`;
}

/** What a rule answers; throws its refusal. */
export function orRefused<T>(answer: T | Violation): T {
  if (isViolation(answer)) throw refused(answer);
  return answer;
}
