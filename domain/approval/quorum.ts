import { compare, divide, isDecimal, times, toSafeInteger } from '../decimal';
import { type Violation } from '../violation';

export type StepOutcome = 'open' | 'granted' | 'refused';

/**
 * Votes a step needs: a quorum without a decimal point is a count, one with it a share of the voters, rounded up exactly (R-061, RULES
 * Approvals). At least one vote is always needed.
 */
export function votesNeeded(quorum: string, voters: number): number {
  if (!quorum.includes('.')) return Math.max(1, Number(quorum));
  const exact = times(quorum, String(voters));
  const down = divide(exact, '1', 0, 'down');
  const whole = toSafeInteger(down);
  return Math.max(1, compare(exact, down) > 0 ? whole + 1 : whole);
}

/**
 * Outcome of a step, as early as it is certain (R-061, RULES Approvals). A refusal ends a step that one voter decides; in a quorum it counts
 * as a vote against, unless the rule gives a veto. A step is refused as soon as the voters that are left cannot reach the need.
 */
export function outcomeOf(
  step: { readonly quorum: string; readonly veto: boolean },
  voters: number,
  grants: number,
  refusals: number,
): StepOutcome {
  const need = votesNeeded(step.quorum, voters);
  if (grants >= need) return 'granted';
  const decidedByOne = step.quorum === '1' || voters === 1;
  if (refusals > 0 && (step.veto || decidedByOne)) return 'refused';
  return refusals > 0 && grants + (voters - grants - refusals) < need ? 'refused' : 'open';
}

/** True where the voters are fewer than the rule's minimum, or than a count asks for: then the step escalates (R-061, RULES Approvals). */
export function hasTooFewVoters(step: { readonly quorum: string; readonly minimumVoters: number }, voters: number): boolean {
  return voters < Math.max(step.minimumVoters, votesNeeded(step.quorum, voters));
}

/** The larger of two quorums of one kind; a count and a share of one step cannot be compared and are refused. */
export function mergeQuorum(a: string, b: string): string | Violation {
  const malformed = [a, b].find((quorum) => !isQuorum(quorum));
  if (malformed !== undefined) return { violation: 'PolicyQuorumMalformed', detail: malformed };
  if (a.includes('.') !== b.includes('.')) return { violation: 'PolicyQuorumMixed', detail: `${a} and ${b}` };
  return compare(a, b) >= 0 ? a : b;
}

/** A positive whole count, or a share above 0 and up to 1 written with a decimal point. */
function isQuorum(text: string): boolean {
  if (!isDecimal(text) || compare(text, '0') <= 0) return false;
  return text.includes('.') ? compare(text, '1') <= 0 : /^\d{1,4}$/.test(text);
}
