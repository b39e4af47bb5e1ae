import { type Instant } from '../deal/terms';
import { type Money } from '../money';
import { type Violation } from '../violation';
import { type RequiredStep, type RequiredTier } from './policy';
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
}

export interface PendingApproval extends ApprovalCore {
  readonly kind: 'pending';
  readonly openTier: number;
}

/** One variant per state; a decided approval never changes (R-062, I-08). */
export type Approval =
  | PendingApproval
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
}

/** A new approval with its lowest tier open; approved at once where the policy asks nobody. */
export function openApproval(request: ApprovalRequest, at: Instant): Approval {
  const tiers = request.tiers.map(({ tier, steps }) => ({ tier, steps: steps.map(newStep) }));
  const core = { ...request, tiers, requestedAt: at };
  const first = tiers[0];
  return first === undefined ? { ...core, kind: 'approved', at } : { ...core, kind: 'pending', openTier: first.tier };
}

/** A step that nobody has voted on. */
export function newStep(step: RequiredStep): ApprovalStep {
  return { ...step, outcome: 'open', votes: [], recused: [], escalatedTo: [] };
}

/** The steps on which a decision is awaited now; empty once the approval has ended. */
export function openSteps(approval: Approval): readonly ApprovalStep[] {
  if (approval.kind !== 'pending') return [];
  const tier = approval.tiers.find((each) => each.tier === approval.openTier);
  return (tier?.steps ?? []).filter((step) => step.outcome === 'open');
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

/** Ends a request that nobody decided in its time. */
export function expire(approval: Approval, at: Instant): Approval | Violation {
  const ended = endedAlready(approval);
  return ended ?? { ...core(approval), kind: 'expired', at };
}

/** Asks one more role on an open step; asking the same role twice changes nothing (R-067, RULES Approvals: escalation). */
export function escalate(approval: Approval, role: string, to: string): Approval | Violation {
  const step = openSteps(approval).find((each) => each.role === role);
  if (step === undefined) return endedAlready(approval) ?? { violation: 'StepNotOpen', detail: role };
  if (step.escalatedTo.includes(to)) return approval;
  return replaceStep(approval, role, { ...step, escalatedTo: [...step.escalatedTo, to] });
}

/** The refusal that answers anything said to an approval that has ended; null while it is pending. */
export function endedAlready(approval: Approval): Violation | null {
  if (approval.kind === 'pending') return null;
  const gone = approval.kind === 'withdrawn' || approval.kind === 'expired';
  return { violation: gone ? 'ApprovalGone' : 'AlreadyDecided', detail: approval.kind };
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
  const { approvalId, subject, requestedBy, requestedAt, shownHash, amount, tiers } = approval;
  return { approvalId, subject, requestedBy, requestedAt, shownHash, amount, tiers };
}
