import { type Instant } from '../deal/terms';
import { type Money } from '../money';
import { isViolation, type Violation } from '../violation';
import { type AskedCondition, type Condition, refuseConditions } from './conditions';
import { PLAIN_SEAT, type Seat } from './groups';
import { settleStep, votesOf } from './settle-step';
import { isRecused, timeIsOver, votesAreOver, type Approval, type ApprovalStep, type PendingApproval, type Verdict } from './state';

/** What a person says. `role` names the step that is meant; null = whichever open step the person may decide. */
export interface Decision {
  readonly decisionId: string;
  readonly by: string;
  readonly role: string | null;
  readonly verdict: Verdict;
  /** Id of the words that say why; null where nothing was said. */
  readonly reasonId: string | null;
  readonly shownHash: string;
  /** What a grant is given under. */
  readonly conditions: readonly AskedCondition[];
}

/** A role in which the decider may act at this moment: own (`onBehalfOf` null) or delegated, with its limit in the group currency. */
export interface Authority {
  readonly role: string;
  readonly onBehalfOf: string | null;
  readonly limit: Money | null;
}

/** What Postgres knows and the state does not: resolved at the moment of the decision, never before. */
export interface DecisionFacts {
  readonly authorities: readonly Authority[];
  /** Who may vote in each role asked in the open tier, the requester left out. */
  readonly voters: Readonly<Record<string, readonly string[]>>;
  /** What the votes of those weigh and count for, by role; whoever is not named has one plain vote. */
  readonly seats: Readonly<Record<string, Readonly<Record<string, Seat>>>>;
  /** Roles asked in which the person could act only through somebody who is recused. */
  readonly barredByRecusal: readonly string[];
  /** Who could fulfil a condition, by the role that is to. */
  readonly owners: Readonly<Record<string, readonly string[]>>;
  /** When a condition is due of which nobody says a day, by the same. */
  readonly dues: Readonly<Record<string, Instant>>;
  /** The refusal of the duties check over the deal's history, or null. */
  readonly dutyConflict: Violation | null;
}

/**
 * The approval after a decision (R-062, R-065, D4, I-07, I-08). The same decision id again gives the same state. Refusals, each with a code:
 * `AlreadyDecided`, `TierNotOpen`, `AlreadyVoted`, `GrantedOtherwise`, `VersionOutdated`, `DecisionIdReused` (409); `ApproverIsRequester`, `RoleNotAsked`,
 * `VoterRecused`, `SamePersonTwice`, and that of the duties check (403); `ApprovalGone` (410); `ReasonMissing`, `ConditionOwnerUnable`,
 * `ConditionDueInPast`, `ConditionDueTooFar` (422). Limits: earlier tiers endorse, the chain needs at least one approval by a person whose limit covers the amount;
 * where the last tier ends without it, one more tier asks a holder of such a limit.
 */
export function decide(approval: Approval, decision: Decision, facts: DecisionFacts, at: Instant): Approval | Violation {
  const answered = answerTo(approval, decision);
  if (isViolation(answered)) return answered;
  if (answered === 'already-received') return approval;
  const refused = refusalWithoutFacts(approval, decision) ?? timeIsOver(approval, at);
  if (refused !== null) return refused;
  if (approval.kind !== 'pending') throw new TypeError('an approval that takes no votes is refused above');
  const chosen = stepFor(approval, decision, facts);
  if (isViolation(chosen)) return chosen;
  const { step, authority } = chosen;
  if (authority.onBehalfOf === approval.requestedBy)
    return { violation: 'ApproverIsRequester', detail: `on behalf of ${authority.onBehalfOf}` };
  if (facts.dutyConflict !== null) return facts.dutyConflict;
  const { decisionId, by, verdict, reasonId } = decision;
  const { limit, onBehalfOf } = authority;
  const conditions = verdict === 'grant' ? decision.conditions : [];
  const unfit = refuseConditions(conditions, facts.owners, at);
  if (unfit !== null) return unfit;
  const { weight, groups } = facts.seats[step.role]?.[onBehalfOf ?? by] ?? PLAIN_SEAT;
  const vote = { decisionId, by, onBehalfOf, verdict, reasonId, limit, weight, groups, at };
  const set = conditions.map((condition): Condition => {
    const due = condition.due ?? facts.dues[condition.role] ?? null;
    return { ...condition, due, decisionId, by, onBehalfOf, setAt: at, escalatedTo: [], settled: null };
  });
  const under = { ...approval, conditions: [...approval.conditions, ...set] };
  return settleStep(under, { ...step, votes: [...step.votes, vote] }, facts, at);
}

/** What a workflow can refuse without asking the database: the state, the version shown, the requester's own decision (R-062, D4). */
export function refusalWithoutFacts(approval: Approval, decision: Omit<Decision, 'conditions'>): Violation | null {
  const known = votesOf(approval).find((vote) => vote.decisionId === decision.decisionId);
  if (known !== undefined && (known.by !== decision.by || known.verdict !== decision.verdict))
    return { violation: 'DecisionIdReused', detail: decision.decisionId };
  const over = votesAreOver(approval);
  if (over !== null) return over;
  if (decision.by === approval.requestedBy) return { violation: 'ApproverIsRequester', detail: decision.by };
  if (decision.shownHash !== approval.shownHash)
    return { violation: 'VersionOutdated', detail: 'the content has changed since it was shown' };
  if (decision.verdict === 'refuse' && decision.reasonId === null) return { violation: 'ReasonMissing', detail: 'a refusal says why' };
  return null;
}

/**
 * Whether this decision is known: the same id (`already-received`), or the same person's same verdict in the same role (`already-applied`);
 * without a role, in the tier that is open: a committee votes anew. What was granted is not put under conditions, or under others,
 * afterwards: `GrantedOtherwise`, and `DecisionIdReused` where it comes under the id of the grant.
 */
export function answerTo(
  approval: Approval,
  decision: Pick<Decision, 'decisionId' | 'by' | 'verdict' | 'role' | 'conditions'>,
): 'already-received' | 'already-applied' | Violation | null {
  const same = votesOf(approval).filter((vote) => vote.by === decision.by && vote.verdict === decision.verdict);
  const { decisionId, conditions } = decision;
  if (same.some((vote) => vote.decisionId === decisionId))
    return isUnder(approval, decisionId, conditions) ? 'already-received' : { violation: 'DecisionIdReused', detail: decisionId };
  const meant = (vote: (typeof same)[number]): boolean => {
    if (decision.role !== null) return vote.role === decision.role;
    return approval.kind !== 'pending' || vote.tier === approval.openTier;
  };
  const known = same.find(meant);
  if (known === undefined) return null;
  return conditions.length === 0 ? 'already-applied' : { violation: 'GrantedOtherwise', detail: `granted as ${known.decisionId}` };
}

/** True where these are the conditions that a vote was given under; one without a day is due by the policy. */
function isUnder({ conditions }: Approval, decisionId: string, asked: readonly AskedCondition[]): boolean {
  const set = conditions.filter((each) => each.decisionId === decisionId);
  const isSame = (one: AskedCondition, other: AskedCondition | undefined): boolean =>
    other !== undefined && one.role === other.role && one.textId === other.textId && isDue(one, other.due);
  return set.length === asked.length && set.every((each, index) => isSame(each, asked[index]));
}

function isDue({ due }: AskedCondition, asked: Instant | null): boolean {
  return asked === null || (due !== null && Date.parse(due) === Date.parse(asked));
}

/**
 * The step of the open tier on which a person may say something, and in whose right: an own role first, an open step before one that is decided
 * . Refuses what a vote would be refused for, but what it says and what duties forbid.
 */
export function stepFor(
  approval: PendingApproval,
  decision: Pick<Decision, 'by' | 'role'>,
  facts: Pick<DecisionFacts, 'authorities' | 'barredByRecusal'>,
): { readonly step: ApprovalStep; readonly authority: Authority } | Violation {
  const open = approval.tiers.find((tier) => tier.tier === approval.openTier);
  const steps = (open?.steps ?? []).filter((step) => decision.role === null || step.role === decision.role);
  if (steps.length === 0) return notAsked(approval, decision);
  const own = steps.find((step) => step.votes.some((vote) => vote.by === decision.by));
  const others = (open?.steps ?? []).filter((step) => step !== own && step.votes.some((vote) => vote.by === decision.by));
  if (own !== undefined && (decision.role !== null || open?.steps.length === 1)) return { violation: 'AlreadyVoted', detail: own.role };
  if (own !== undefined || others.length > 0) return { violation: 'SamePersonTwice', detail: 'two roles of one tier need two people' };
  if (isRecused(approval, decision.by)) return { violation: 'VoterRecused', detail: decision.by };
  const able = steps.flatMap((step) => {
    const inRole = facts.authorities.find(({ role }) => role === step.role);
    const authority = inRole ?? facts.authorities.find(({ role }) => step.escalatedTo.includes(role));
    if (authority === undefined) return [];
    return authority.onBehalfOf !== null && step.recused.includes(authority.onBehalfOf) ? [] : [{ step, authority }];
  });
  const first = able.find(({ step }) => step.outcome === 'open') ?? able[0];
  if (first === undefined) return notAble(steps, decision, facts);
  if (first.step.outcome !== 'open') return { violation: 'AlreadyDecided', detail: first.step.role };
  const principal = first.authority.onBehalfOf ?? decision.by;
  if (first.step.votes.some((vote) => (vote.onBehalfOf ?? vote.by) === principal))
    return { violation: 'AlreadyVoted', detail: first.step.role };
  return twice(approval, decision, first) ?? first;
}

/** Only through somebody who is recused; else nobody asked. */
function notAble(
  steps: readonly ApprovalStep[],
  { role }: Pick<Decision, 'role'>,
  { authorities, barredByRecusal }: Pick<DecisionFacts, 'authorities' | 'barredByRecusal'>,
): Violation {
  const isFor = (step: ApprovalStep): boolean =>
    authorities.some((each) => each.role === step.role && each.onBehalfOf !== null && step.recused.includes(each.onBehalfOf));
  const out = steps.find((step) => barredByRecusal.includes(step.role) || isFor(step));
  if (out === undefined) return { violation: 'RoleNotAsked', detail: role ?? 'no open step' };
  return { violation: 'VoterRecused', detail: `${out.role}, on behalf of somebody who is recused` };
}

/** A role of another tier is early or late; any other role was never asked. */
function notAsked(approval: PendingApproval, decision: Pick<Decision, 'by' | 'role'>): Violation {
  const elsewhere = approval.tiers.find((tier) => tier.steps.some((step) => step.role === decision.role));
  if (elsewhere === undefined) return { violation: 'RoleNotAsked', detail: decision.role ?? 'no open step' };
  if (elsewhere.tier < approval.openTier) return { violation: 'AlreadyDecided', detail: `tier ${elsewhere.tier}` };
  return { violation: 'TierNotOpen', detail: `tier ${elsewhere.tier} opens after tier ${approval.openTier}` };
}

/**
 * Two roles of one tier need two people, and a lower tier's approval does not count again for the same person, also on behalf of another;
 * a committee votes anew (R-065, RULES Approvals).
 */
function twice(
  approval: PendingApproval,
  decision: Pick<Decision, 'by'>,
  chosen: { step: ApprovalStep; authority: Authority },
): Violation | null {
  if (chosen.step.committee) return null;
  const people = [decision.by, ...(chosen.authority.onBehalfOf === null ? [] : [chosen.authority.onBehalfOf])];
  const earlier = approval.tiers
    .flatMap((tier) => tier.steps)
    .find((step) => !step.committee && step.votes.some((vote) => people.includes(vote.by) || people.includes(vote.onBehalfOf ?? '')));
  return earlier === undefined ? null : { violation: 'SamePersonTwice', detail: `decided already as ${earlier.role}` };
}
