import { type Instant } from '../deal/terms';
import { compareMoney, type Money } from '../money';
import { isViolation, type Violation } from '../violation';
import { hasTooFewVoters, outcomeOf } from './quorum';
import {
  core,
  endedAlready,
  newStep,
  openSteps,
  replaceStep,
  type Approval,
  type ApprovalStep,
  type PendingApproval,
  type Verdict,
} from './state';

/** What a person says. `role` names the step that is meant; null = whichever open step the person may decide. */
export interface Decision {
  readonly decisionId: string;
  readonly by: string;
  readonly role: string | null;
  readonly verdict: Verdict;
  /** Id of the words that say why; null where nothing was said. */
  readonly reasonId: string | null;
  readonly shownHash: string;
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
  /** The refusal of the duties check over the deal's history, or null. */
  readonly dutyConflict: Violation | null;
}

/** Asked at the end of a chain in which no approver's limit covers the amount: anybody whose limit does. */
export const LIMIT_HOLDER_ROLE = 'limit-holder';

/**
 * The approval after a decision (R-062, R-065, D4, I-07, I-08). The same decision id again gives the same state. Refusals, each with a code:
 * `AlreadyDecided`, `TierNotOpen`, `AlreadyVoted`, `VersionOutdated`, `DecisionIdReused` (409); `ApproverIsRequester`, `RoleNotAsked`,
 * `SamePersonTwice`, and that of the duties check (403); `ApprovalGone` (410); `ReasonMissing` (422). Limits: earlier tiers endorse, the
 * chain needs at least one approval by a person whose limit covers the amount; where the last tier ends without it, one more tier asks
 * a holder of such a limit.
 */
export function decide(approval: Approval, decision: Decision, facts: DecisionFacts, at: Instant): Approval | Violation {
  const answered = answerTo(approval, decision);
  if (answered === 'already-received') return approval;
  const refused = refusalWithoutFacts(approval, decision);
  if (refused !== null) return refused;
  if (approval.kind !== 'pending') throw new TypeError('an ended approval is refused above');
  const chosen = choose(approval, decision, facts);
  if (isViolation(chosen)) return chosen;
  const { step, authority } = chosen;
  if (authority.onBehalfOf === approval.requestedBy)
    return { violation: 'ApproverIsRequester', detail: `on behalf of ${authority.onBehalfOf}` };
  if (facts.dutyConflict !== null) return facts.dutyConflict;
  const { decisionId, by, verdict, reasonId } = decision;
  const vote = { decisionId, by, onBehalfOf: authority.onBehalfOf, verdict, reasonId, limit: authority.limit, at };
  return settleStep(approval, { ...step, votes: [...step.votes, vote] }, facts, at);
}

/** What a workflow can refuse without asking the database: the state, the version shown, the requester's own decision (R-062, D4). */
export function refusalWithoutFacts(approval: Approval, decision: Decision): Violation | null {
  const known = votesOf(approval).find((vote) => vote.decisionId === decision.decisionId);
  if (known !== undefined && (known.by !== decision.by || known.verdict !== decision.verdict))
    return { violation: 'DecisionIdReused', detail: decision.decisionId };
  const ended = endedAlready(approval);
  if (ended !== null) return ended;
  if (decision.by === approval.requestedBy) return { violation: 'ApproverIsRequester', detail: decision.by };
  if (decision.shownHash !== approval.shownHash)
    return { violation: 'VersionOutdated', detail: 'the content has changed since it was shown' };
  if (decision.verdict === 'refuse' && decision.reasonId === null) return { violation: 'ReasonMissing', detail: 'a refusal says why' };
  return null;
}

/**
 * Whether this decision is known: the same id (`already-received`), or the same person's same verdict in the same role (`already-applied`);
 * without a role, in the tier that is open: a committee votes anew.
 */
export function answerTo(approval: Approval, decision: Decision): 'already-received' | 'already-applied' | null {
  const same = votesOf(approval).filter((vote) => vote.by === decision.by && vote.verdict === decision.verdict);
  if (same.some((vote) => vote.decisionId === decision.decisionId)) return 'already-received';
  const meant = (vote: (typeof same)[number]): boolean => {
    if (decision.role !== null) return vote.role === decision.role;
    return approval.kind !== 'pending' || vote.tier === approval.openTier;
  };
  return same.some(meant) ? 'already-applied' : null;
}

/** Takes a voter out of a step; with too few left the step escalates to the entity's head (R-061, RULES Approvals: recusal). */
export function recuse(approval: Approval, role: string, by: string, facts: DecisionFacts, at: Instant): Approval | Violation {
  const ended = endedAlready(approval);
  if (ended !== null) return ended;
  const step = openSteps(approval).find((each) => each.role === role);
  if (step === undefined || approval.kind !== 'pending') return { violation: 'TierNotOpen', detail: role };
  if (!(facts.voters[role] ?? []).includes(by)) return { violation: 'RoleNotAsked', detail: role };
  if (step.votes.some((vote) => vote.by === by)) return { violation: 'AlreadyVoted', detail: by };
  return settleStep(approval, { ...step, recused: [...new Set([...step.recused, by])] }, facts, at);
}

function choose(
  approval: PendingApproval,
  decision: Decision,
  facts: DecisionFacts,
): { readonly step: ApprovalStep; readonly authority: Authority } | Violation {
  const open = approval.tiers.find((tier) => tier.tier === approval.openTier);
  const steps = (open?.steps ?? []).filter((step) => decision.role === null || step.role === decision.role);
  if (steps.length === 0) return notAsked(approval, decision);
  const own = steps.find((step) => step.votes.some((vote) => vote.by === decision.by));
  const others = (open?.steps ?? []).filter((step) => step !== own && step.votes.some((vote) => vote.by === decision.by));
  if (own !== undefined && (decision.role !== null || open?.steps.length === 1)) return { violation: 'AlreadyVoted', detail: own.role };
  if (own !== undefined || others.length > 0) return { violation: 'SamePersonTwice', detail: 'two roles of one tier need two people' };
  const able = steps.flatMap((step) => {
    const authority = facts.authorities.find(({ role }) => role === step.role || step.escalatedTo.includes(role));
    return authority === undefined || step.recused.includes(decision.by) ? [] : [{ step, authority }];
  });
  const first = able.find(({ step }) => step.outcome === 'open') ?? able[0];
  if (first === undefined) return { violation: 'RoleNotAsked', detail: decision.role ?? 'no open step' };
  if (first.step.outcome !== 'open') return { violation: 'AlreadyDecided', detail: first.step.role };
  const principal = first.authority.onBehalfOf ?? decision.by;
  if (first.step.votes.some((vote) => (vote.onBehalfOf ?? vote.by) === principal))
    return { violation: 'AlreadyVoted', detail: first.step.role };
  return twice(approval, decision, first) ?? first;
}

/** A role of another tier is early or late; any other role was never asked. */
function notAsked(approval: PendingApproval, decision: Decision): Violation {
  const elsewhere = approval.tiers.find((tier) => tier.steps.some((step) => step.role === decision.role));
  if (elsewhere === undefined) return { violation: 'RoleNotAsked', detail: decision.role ?? 'no open step' };
  if (elsewhere.tier < approval.openTier) return { violation: 'AlreadyDecided', detail: `tier ${elsewhere.tier}` };
  return { violation: 'TierNotOpen', detail: `tier ${elsewhere.tier} opens after tier ${approval.openTier}` };
}

/**
 * Two roles of one tier need two people, and a lower tier's approval does not count again for the same person, also on behalf of another;
 * a committee votes anew (R-065, RULES Approvals).
 */
function twice(approval: PendingApproval, decision: Decision, chosen: { step: ApprovalStep; authority: Authority }): Violation | null {
  if (chosen.step.committee) return null;
  const people = [decision.by, ...(chosen.authority.onBehalfOf === null ? [] : [chosen.authority.onBehalfOf])];
  const earlier = approval.tiers
    .flatMap((tier) => tier.steps)
    .find((step) => !step.committee && step.votes.some((vote) => people.includes(vote.by) || people.includes(vote.onBehalfOf ?? '')));
  return earlier === undefined ? null : { violation: 'SamePersonTwice', detail: `decided already as ${earlier.role}` };
}

function settleStep(approval: PendingApproval, step: ApprovalStep, facts: DecisionFacts, at: Instant): Approval {
  const voters = (facts.voters[step.role] ?? []).filter((voter) => !step.recused.includes(voter)).length;
  const grants = step.votes.filter((vote) => vote.verdict === 'grant').length;
  const refusals = step.votes.length - grants;
  const tooFew = hasTooFewVoters(step, voters) && !step.escalatedTo.includes('entity-head');
  const outcome = outcomeOf(step, Math.max(voters, step.votes.length), grants, refusals);
  const escalatedTo = outcome === 'open' && tooFew ? [...step.escalatedTo, 'entity-head'] : step.escalatedTo;
  const next = replaceStep(approval, step.role, { ...step, outcome, escalatedTo });
  const last = step.votes.at(-1);
  if (outcome === 'refused' && last !== undefined) {
    const against = step.votes.findLast((vote) => vote.verdict === 'refuse') ?? last;
    return { ...core(next), kind: 'refused', at, by: against.by, role: step.role, reasonId: against.reasonId };
  }
  return outcome === 'granted' ? advance(next, at) : next;
}

/** Opens the next tier when every step of this one is granted; after the last one the chain must cover the amount. */
function advance(approval: PendingApproval, at: Instant): Approval {
  if (openSteps(approval).length > 0) return approval;
  const next = approval.tiers.find((tier) => tier.tier > approval.openTier);
  if (next !== undefined) return { ...approval, openTier: next.tier };
  if (isCovered(approval)) return { ...core(approval), kind: 'approved', at };
  const step = newStep({
    role: LIMIT_HOLDER_ROLE,
    quorum: '1',
    ruleIds: ['approval-limit'],
    veto: false,
    minimumVoters: 1,
    committee: false,
  });
  const tier = approval.openTier + 1;
  return { ...approval, tiers: [...approval.tiers, { tier, steps: [step] }], openTier: tier };
}

function isCovered(approval: PendingApproval): boolean {
  const { amount } = approval;
  if (amount === null) return true;
  return votesOf(approval).some((vote) => vote.verdict === 'grant' && vote.limit !== null && compareMoney(vote.limit, amount) >= 0);
}

function votesOf(approval: Approval): (ApprovalStep['votes'][number] & { readonly role: string; readonly tier: number })[] {
  return approval.tiers.flatMap(({ tier, steps }) =>
    steps.flatMap((step) => step.votes.map((vote) => ({ ...vote, role: step.role, tier }))),
  );
}
