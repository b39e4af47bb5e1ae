import { compare, divide, isDecimal, times, toSafeInteger } from '../decimal';
import { type Violation } from '../violation';
import { coversGroups, type GroupMinimum, type Seat } from './groups';

export type StepOutcome = 'open' | 'granted' | 'refused';

/** What a step asks for. */
export interface StepRule {
  readonly quorum: string;
  readonly veto: boolean;
  readonly minimumVoters: number;
  readonly groups: readonly GroupMinimum[];
}

/** Who may vote on a step and who has: everybody with a vote once, `voted` or `waiting`. */
export interface Ballots {
  /** People who may vote, those who have voted among them. */
  readonly voters: number;
  /** What all of their votes weigh together. */
  readonly weight: number;
  readonly grants: readonly Seat[];
  readonly refusals: readonly Seat[];
  readonly waiting: readonly Seat[];
}

/**
 * Votes a step needs: a quorum without a decimal point is a count, one with it a share of the votes there are, rounded up exactly (R-061, RULES
 * Approvals). Both are in weight, which is people where the rule gives nobody another weight. At least one is always needed.
 */
export function votesNeeded(quorum: string, weight: number): number {
  if (!quorum.includes('.')) return Math.max(1, Number(quorum));
  const exact = times(quorum, String(weight));
  const down = divide(exact, '1', 0, 'down');
  const whole = toSafeInteger(down);
  return Math.max(1, compare(exact, down) > 0 ? whole + 1 : whole);
}

/**
 * Outcome of a step, as early as it is certain (R-061, R-285, R-286, RULES Approvals). A refusal ends a step that one voter decides; in a quorum
 * it counts as a vote against, unless the rule gives a veto. A step is refused as soon as the votes that are left cannot reach the need, or a
 * group its minimum. Fewer voters than the rule's minimum grant nothing.
 */
export function outcomeOf(rule: StepRule, ballots: Ballots): StepOutcome {
  const { grants, refusals, waiting } = ballots;
  const need = votesNeeded(rule.quorum, ballots.weight);
  if (weightOf(grants) >= need && coversGroups(rule.groups, grants)) return ballots.voters < rule.minimumVoters ? 'open' : 'granted';
  if (refusals.length === 0) return 'open';
  if (rule.veto || rule.quorum === '1' || ballots.voters === 1) return 'refused';
  if (ballots.weight - weightOf(refusals) < need) return 'refused';
  const couldCover = coversGroups(rule.groups, [...grants, ...waiting, ...refusals]);
  return couldCover && !coversGroups(rule.groups, [...grants, ...waiting]) ? 'refused' : 'open';
}

/**
 * True where the voters are fewer than the rule's minimum, weigh less than a count asks for, or leave a group short: then the step escalates
 * (R-061, R-286, RULES Approvals).
 */
export function hasTooFewVoters(rule: Omit<StepRule, 'veto'>, voters: readonly Seat[]): boolean {
  const weight = weightOf(voters);
  return voters.length < rule.minimumVoters || weight < votesNeeded(rule.quorum, weight) || !coversGroups(rule.groups, voters);
}

export function weightOf(seats: readonly Seat[]): number {
  return seats.reduce((sum, { weight }) => sum + weight, 0);
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
