import { compare, minus, type Decimal } from '../decimal';
import { type ExceptionPath } from './paths';

/** Codes of findings that say the work lies outside what was contracted. */
const OUT_OF_SCOPE: readonly string[] = ['TASK_CLOSED', 'BEFORE_CONTRACT_VERSION'];

/**
 * Findings that nobody may set aside: the cure is another fact (a document, a rate, an approval, a decision of somebody else), or the law
 * and the rules of duties forbid it (I-07, I-12, R-249).
 */
const NEVER_EXEMPT: readonly string[] = [
  'COMPLIANCE_LAPSED',
  'OWN_TIME_APPROVED',
  'RATE_UNRESOLVED',
  'NOT_APPROVED',
  'POLICY_MISSING',
  'FX_RATE_MISSING',
];

/**
 * The path of a finding that keeps an approved, billable record from being billed: work outside the contract is a change of scope,
 * other breaches are breaches where policy has them decided (`breaches`); null where the record waits for its cure alone.
 */
export function pathOfFinding(code: string, breaches: readonly string[]): Extract<ExceptionPath, 'policy-breach' | 'scope-change'> | null {
  if (NEVER_EXEMPT.includes(code) || !breaches.includes(code)) return null;
  return OUT_OF_SCOPE.includes(code) ? 'scope-change' : 'policy-breach';
}

/** How many whole deadlines an approval may take beyond its ladder before it is an exception: one for each rung and one more. */
export function deadlinesBeforeDelay(rungs: number, settledBefore: number): number {
  return rungs + 1 + settledBefore;
}

/**
 * Whether a line is going to earn so much less than it was sold for, or than was accepted since, that somebody has to decide: more
 * than `points` percentage points below. Margins in percent of the price; an unknown one says nothing.
 */
export function isEroded(reference: Decimal | null, atCompletion: Decimal | null, points: Decimal): boolean {
  return reference !== null && atCompletion !== null && compare(minus(reference, atCompletion), points) > 0;
}
