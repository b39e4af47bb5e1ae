import { type Instant } from '../deal/terms';
import { type Money } from '../money';
import { type Violation } from '../violation';
import { type Condition } from './conditions';
import { type RequiredStep, type RequiredTier } from './policy';
import { type Question } from './questions';
import { type StepOutcome } from './quorum';

export type Verdict = 'grant' | 'refuse';

/** A vote as it was taken: both names where it was given on behalf of another, and the limit of the authority that was used. */
export interface Vote {
  readonly decisionId: string;
  readonly by: string;
  readonly onBehalfOf: string | null;
  readonly verdict: Verdict;
  /** Id of the words in which the voter says why; the words stand elsewhere, where they can be erased (I-15). */
  readonly reasonId: string | null;
  readonly limit: Money | null;
  /** What the vote weighs, and the groups of the rule that it counts for, as they were when it was given. */
  readonly weight: number;
  readonly groups: readonly string[];
  readonly at: Instant;
}

export interface ApprovalStep extends RequiredStep {
  readonly outcome: StepOutcome;
  readonly votes: readonly Vote[];
  readonly recused: readonly string[];
  /** Further roles asked because the step took too long or had too few voters (`role` = every holder in the group). */
  readonly escalatedTo: readonly string[];
}

export interface ApprovalTier {
  readonly tier: number;
  readonly steps: readonly ApprovalStep[];
}

interface ApprovalCore {
  readonly approvalId: string;
  readonly subject: { readonly kind: string; readonly id: string };
  readonly requestedBy: string;
  readonly requestedAt: Instant;
  /** Hash of what the approvers are shown; the approval is worth nothing for anything else. */
  readonly shownHash: string;
  /** In the group currency; null where the subject has none. */
  readonly amount: Money | null;
  readonly tiers: readonly ApprovalTier[];
  /** When it ends by itself where nobody has decided it; null where the policy says nothing. */
  readonly expiresAt: Instant | null;
  readonly questions: readonly Question[];
  readonly conditions: readonly Condition[];
}

export interface PendingApproval extends ApprovalCore {
  readonly kind: 'pending';
  readonly openTier: number;
}

/** One variant per state; a decided approval never changes (R-062, I-08). */
export type Approval =
  | PendingApproval
  /** Every vote is given, and what they were given under is not settled: no decision yet, so nobody goes on by it. */
  | (ApprovalCore & { readonly kind: 'conditions'; readonly grantedAt: Instant })
  | (ApprovalCore & { readonly kind: 'approved'; readonly at: Instant })
  | (ApprovalCore & {
      readonly kind: 'refused';
      readonly at: Instant;
      readonly by: string;
      readonly role: string;
      readonly reasonId: string | null;
    })
  | (ApprovalCore & { readonly kind: 'withdrawn'; readonly at: Instant; readonly by: string; readonly reasonId: string | null })
  | (ApprovalCore & { readonly kind: 'expired'; readonly at: Instant });

export interface ApprovalRequest {
  readonly approvalId: string;
  readonly subject: { readonly kind: string; readonly id: string };
  readonly requestedBy: string;
  readonly shownHash: string;
  readonly amount: Money | null;
  readonly tiers: readonly RequiredTier[];
  readonly expiresAt?: Instant | null;
}

/** A new approval with its lowest tier open; approved at once where the policy asks nobody. */
export function openApproval(request: ApprovalRequest, at: Instant): Approval {
  const tiers = request.tiers.map(({ tier, steps }) => ({ tier, steps: steps.map(newStep) }));
  const core = { ...request, tiers, requestedAt: at, expiresAt: request.expiresAt ?? null, questions: [], conditions: [] };
  const first = tiers[0];
  return first === undefined ? { ...core, kind: 'approved', at } : { ...core, kind: 'pending', openTier: first.tier };
}

/** A step that nobody has voted on. */
export function newStep(step: RequiredStep): ApprovalStep {
  return { ...step, outcome: 'open', votes: [], recused: [], escalatedTo: [] };
}

/** True until it is approved, refused, taken back or expired: somebody owes something, and what is shown may still be taken back. */
export function isOpen(approval: Approval): boolean {
  return approval.kind === 'pending' || approval.kind === 'conditions';
}

/** The steps on which a decision is awaited now; empty once the approval has ended. */
export function openSteps(approval: Approval): readonly ApprovalStep[] {
  if (approval.kind !== 'pending') return [];
  const tier = approval.tiers.find((each) => each.tier === approval.openTier);
  return (tier?.steps ?? []).filter((step) => step.outcome === 'open');
}

/** True where the person has voted on the step, or somebody for them: their vote is not asked again. */
export function hasVoted({ votes }: Pick<ApprovalStep, 'votes'>, userId: string): boolean {
  return votes.some((vote) => vote.by === userId || vote.onBehalfOf === userId);
}

/** True where this content was approved: an approval binds to what was shown, any later change needs a new one. */
export function isApprovedFor(approval: Approval, shownHash: string): boolean {
  return approval.kind === 'approved' && approval.shownHash === shownHash;
}

/** Takes the request back, for example because its content changed; what is decided stays decided. */
export function withdraw(approval: Approval, by: string, reasonId: string | null, at: Instant): Approval | Violation {
  const ended = endedAlready(approval);
  if (ended !== null) return ended;
  return { ...core(approval), kind: 'withdrawn', at, by, reasonId };
}

/** Ends a request that nobody decided in its time; one whose votes are given is decided, and waits for its conditions. */
export function expire(approval: Approval, at: Instant): Approval | Violation {
  const ended = endedAlready(approval);
  if (ended !== null || approval.kind === 'conditions') return ended ?? approval;
  return { ...core(approval), kind: 'expired', at };
}

/** Asks one more role on an open step; asking the same role twice changes nothing (R-067, RULES Approvals: escalation). */
export function escalate(approval: Approval, role: string, to: string): Approval | Violation {
  const step = openSteps(approval).find((each) => each.role === role);
  if (step === undefined) return endedAlready(approval) ?? { violation: 'StepNotOpen', detail: role };
  if (step.escalatedTo.includes(to)) return approval;
  return replaceStep(approval, role, { ...step, escalatedTo: [...step.escalatedTo, to] });
}

/** True for whoever has stood back from it. */
export function isRecused(approval: Pick<Approval, 'tiers'>, userId: string): boolean {
  return recusedFrom(approval).includes(userId);
}

/** Everybody who has stood back from it. */
export function recusedFrom({ tiers }: Pick<Approval, 'tiers'>): string[] {
  return [...new Set(tiers.flatMap(({ steps }) => steps.flatMap(({ recused }) => recused)))];
}

/** The refusal that answers anything said to an approval that has ended; null while it is open. */
export function endedAlready(approval: Approval): Violation | null {
  if (isOpen(approval)) return null;
  const gone = approval.kind === 'withdrawn' || approval.kind === 'expired';
  return { violation: gone ? 'ApprovalGone' : 'AlreadyDecided', detail: approval.kind };
}

/** The refusal of a vote and of whatever belongs to voting: it has ended, or every vote is given. */
export function votesAreOver(approval: Approval): Violation | null {
  if (approval.kind === 'conditions') return { violation: 'AlreadyDecided', detail: 'every vote is given, conditions are open' };
  return endedAlready(approval);
}

/** The refusal of whatever is said once an undecided approval should have ended by itself, whether or not it has by then. */
export function timeIsOver(approval: Approval, at: Instant): Violation | null {
  return hasExpired(approval, at) ? { violation: 'ApprovalGone', detail: 'expired' } : null;
}

/** True from the moment on at which an undecided approval ends by itself. */
export function hasExpired({ kind, expiresAt }: Approval, at: Instant): boolean {
  return kind === 'pending' && expiresAt !== null && Date.parse(expiresAt) <= Date.parse(at);
}

/** The approval with one step of its open tier exchanged. */
export function replaceStep<State extends Approval>(approval: State, role: string, step: ApprovalStep): State {
  if (approval.kind !== 'pending') return approval;
  const { openTier } = approval;
  const tiers = approval.tiers.map((tier) =>
    tier.tier === openTier ? { ...tier, steps: tier.steps.map((each) => (each.role === role ? step : each)) } : tier,
  );
  return { ...approval, tiers };
}

/** What stays the same through all states. */
export function core(approval: Approval): ApprovalCore {
  const { approvalId, subject, requestedBy, requestedAt, shownHash, amount, tiers, expiresAt, questions, conditions } = approval;
  return { approvalId, subject, requestedBy, requestedAt, shownHash, amount, tiers, expiresAt, questions, conditions };
}
