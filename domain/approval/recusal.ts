import { type Instant } from '../deal/terms';
import { isViolation, type Violation } from '../violation';
import { type DecisionFacts, stepFor } from './decision';
import { escalatedWhereFew, settleStep } from './settle-step';
import { hasVoted, isRecused, openSteps, timeIsOver, votesAreOver, type Approval, type ApprovalStep, type PendingApproval } from './state';

/**
 * Somebody who is asked stands back from an approval, from all of it that is not decided (R-280, R-061, RULES Approvals): the voters get fewer
 * and the need is computed anew; a step with too few left goes to the entity's head too. What they have voted in earlier tiers stays. The same
 * once more changes nothing. `facts.voters` and `facts.seats` are of every step that is not decided, those of later tiers too. Refused:
 * `RoleNotAsked`, `ApproverIsRequester` (403), `AlreadyVoted` where their own vote stands on an open step, or one that was given for them,
 * `AlreadyDecided` (409), `ApprovalGone` (410).
 */
export function recuse(approval: Approval, by: string, facts: DecisionFacts, at: Instant): Approval | Violation {
  const over = votesAreOver(approval) ?? timeIsOver(approval, at);
  if (over !== null || approval.kind !== 'pending') return over ?? approval;
  if (by === approval.requestedBy) return { violation: 'ApproverIsRequester', detail: by };
  if (isRecused(approval, by)) return approval;
  const voted = openSteps(approval).find((step) => hasVoted(step, by));
  if (voted !== undefined) return { violation: 'AlreadyVoted', detail: voted.role };
  const refused = refuseStranger(approval, by, facts);
  if (refused !== null) return refused;
  return settleAll(without(approval, by, facts), facts, at);
}

/** Whoever is no voter of any step that is left, and could not vote for one either. */
function refuseStranger(approval: PendingApproval, by: string, facts: DecisionFacts): Violation | null {
  const isVoter = undecided(approval).some((step) => (facts.voters[step.role] ?? []).includes(by));
  const chosen = isVoter ? null : stepFor(approval, { by, role: null }, facts);
  return isViolation(chosen) ? { violation: 'RoleNotAsked', detail: chosen.detail } : null;
}

function without(approval: PendingApproval, by: string, facts: DecisionFacts): PendingApproval {
  const leave = (tier: number, step: ApprovalStep): ApprovalStep => {
    if (step.outcome !== 'open') return step;
    const left = { ...step, recused: [...step.recused, by] };
    return tier > approval.openTier ? escalatedWhereFew(left, facts) : left;
  };
  const tiers = approval.tiers.map(({ tier, steps }) => ({ tier, steps: steps.map((step) => leave(tier, step)) }));
  return { ...approval, tiers };
}

/** One open step may end the tier or all of it: the next is looked at only while it is open. */
function settleAll(approval: PendingApproval, facts: DecisionFacts, at: Instant): Approval {
  let next: Approval = approval;
  for (const { role } of openSteps(approval)) {
    const step = openSteps(next).find((each) => each.role === role);
    if (next.kind === 'pending' && step !== undefined) next = settleStep(next, step, facts, at);
  }
  return next;
}

function undecided(approval: PendingApproval): ApprovalStep[] {
  return approval.tiers.flatMap(({ steps }) => steps.filter(({ outcome }) => outcome === 'open'));
}
