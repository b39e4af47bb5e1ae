import { type Instant } from '../deal/terms';
import { compareMoney } from '../money';
import { type DecisionFacts } from './decision';
import { PLAIN_SEAT, type Seat } from './groups';
import { type Ballots, hasTooFewVoters, outcomeOf, weightOf } from './quorum';
import {
  core,
  newStep,
  openSteps,
  recusedFrom,
  replaceStep,
  type Approval,
  type ApprovalStep,
  type ApprovalTier,
  type PendingApproval,
  type Vote,
} from './state';

/** Asked at the end of a chain in which no approver's limit covers the amount: anybody whose limit does. */
export const LIMIT_HOLDER_ROLE = 'limit-holder';

/** Asked beside the voters of a step where they are too few. */
export const FEW_VOTERS_GO_TO = 'entity-head';

/** Who may vote, and what those votes weigh and count for. */
export type VotersKnown = Pick<DecisionFacts, 'voters' | 'seats'>;

/** The approval after something has changed on a step of its open tier: a vote, or who may vote. */
export function settleStep(approval: PendingApproval, changed: ApprovalStep, known: VotersKnown, at: Instant): Approval {
  const outcome = outcomeOf(changed, ballotsOf(changed, known));
  const step = outcome === 'open' ? escalatedWhereFew(changed, known) : changed;
  const next = replaceStep(approval, step.role, { ...step, outcome });
  const last = step.votes.at(-1);
  if (outcome === 'refused' && last !== undefined) {
    const against = step.votes.findLast((vote) => vote.verdict === 'refuse') ?? last;
    return { ...core(next), kind: 'refused', at, by: against.by, role: step.role, reasonId: against.reasonId };
  }
  return outcome === 'granted' ? advance(next, at) : next;
}

/** The step, asked of the entity's head too where its voters are too few; asked once. */
export function escalatedWhereFew(step: ApprovalStep, known: VotersKnown): ApprovalStep {
  if (step.escalatedTo.includes(FEW_VOTERS_GO_TO)) return step;
  const few = hasTooFewVoters(
    step,
    votersOf(step, known).map(({ seat }) => seat),
  );
  return few ? { ...step, escalatedTo: [...step.escalatedTo, FEW_VOTERS_GO_TO] } : step;
}

/** All votes of an approval with their places. */
export function votesOf({
  tiers,
}: {
  readonly tiers: readonly ApprovalTier[];
}): (Vote & { readonly role: string; readonly tier: number })[] {
  return tiers.flatMap(({ tier, steps }) => steps.flatMap((step) => step.votes.map((vote) => ({ ...vote, role: step.role, tier }))));
}

/**
 * What is approved under conditions is approved once they are settled; what is granted under none, at once. An approval that is
 * granted never goes back to its votes.
 */
export function grantedUnder(approval: Approval, at: Instant): Approval {
  const isSettled = approval.conditions.every(({ settled }) => settled !== null);
  return isSettled ? { ...core(approval), kind: 'approved', at } : { ...core(approval), kind: 'conditions', grantedAt: at };
}

/** Votes weigh what they weighed when they were given. Who has voted counts with that, there or not any more; who has not, as long as they may vote. */
export function ballotsOf(step: ApprovalStep, known: VotersKnown): Ballots {
  const voters = votersOf(step, known);
  const said = (verdict: Vote['verdict']): Seat[] => step.votes.filter((vote) => vote.verdict === verdict);
  const [grants, refusals] = [said('grant'), said('refuse')];
  const voted = step.votes.map(({ by, onBehalfOf }) => onBehalfOf ?? by);
  const waiting = voters.filter(({ userId }) => !voted.includes(userId)).map(({ seat }) => seat);
  const weight = weightOf(waiting) + weightOf(step.votes);
  return { voters: waiting.length + step.votes.length, weight, grants, refusals, waiting };
}

function votersOf({ role, recused }: ApprovalStep, { voters, seats }: VotersKnown): { readonly userId: string; readonly seat: Seat }[] {
  const able = (voters[role] ?? []).filter((voter) => !recused.includes(voter));
  return able.map((userId) => ({ userId, seat: seats[role]?.[userId] ?? PLAIN_SEAT }));
}

/** Opens the next tier when every step of this one is granted; after the last one the chain must cover the amount. */
function advance(approval: PendingApproval, at: Instant): Approval {
  if (openSteps(approval).length > 0) return approval;
  const next = approval.tiers.find((tier) => tier.tier > approval.openTier);
  if (next !== undefined) return { ...approval, openTier: next.tier };
  if (isCovered(approval)) return grantedUnder(approval, at);
  const step = newStep({
    role: LIMIT_HOLDER_ROLE,
    quorum: '1',
    ruleIds: ['approval-limit'],
    veto: false,
    minimumVoters: 1,
    committee: false,
    weights: null,
    groups: [],
  });
  const tier = approval.openTier + 1;
  return { ...approval, tiers: [...approval.tiers, { tier, steps: [{ ...step, recused: recusedFrom(approval) }] }], openTier: tier };
}

function isCovered(approval: PendingApproval): boolean {
  const { amount } = approval;
  if (amount === null) return true;
  return votesOf(approval).some((vote) => vote.verdict === 'grant' && vote.limit !== null && compareMoney(vote.limit, amount) >= 0);
}
