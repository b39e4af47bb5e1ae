import { type Scope } from '../domain/access';
import { type CorrectionRequest } from '../domain/billing/correction/choice';
import { type ModificationAnswers } from '../domain/change/accounting';
import { type ChangeOrder } from '../domain/change/change-order';
import { type Instant, type LocalDate } from '../domain/deal/terms';
import { type Waiver } from '../domain/engagement/waiver';
import { type ExceptionOption, type ExceptionPath, type ExceptionStage } from '../domain/exception/paths';

/** Things that people read, then change: what is shown of each has a version, its tag. */
export type ShownKind = 'deal' | 'line' | 'invoice' | 'project';

/** Who is shown something: where the things may be read, and where cost and the words of people in them; null is nowhere. */
export interface Reader {
  readonly scope: Scope;
  readonly costs: Scope | null;
  readonly texts: Scope | null;
}

/** An If-Match as a message carries it: the effect is refused where what this reader is shown has none of the tags any more. */
export interface Precondition {
  readonly kind: ShownKind;
  readonly id: string;
  readonly tags: readonly string[];
  readonly reader: Reader;
}

/** What every message of a person says besides its content. */
export interface Said {
  readonly by: string;
  readonly at: Instant;
  readonly ifMatch?: Precondition | undefined;
}

/** The business clock as it is handed to children and over continue-as-new (D1). `moment` is null outside a simulation. */
export type ClockState = { readonly simulated: false } | { readonly simulated: true; readonly moment: Instant };

/** One thing a run waits for, exactly as in `open_wait` (D6). `asks` is a sentence for an operator, ids only. */
export interface WaitView {
  readonly kind: string;
  readonly subject: string;
  readonly role: string;
  readonly asks: string;
  readonly since: Instant;
  readonly due: Instant | null;
  readonly wakesAt: Instant | null;
}

/** What every effect that changes a lifecycle answers: where it stands and what it waits for now. */
export interface LifecycleView {
  /** Grows with every effect on the subject: a stored answer that comes again is older than what the run shows. */
  readonly revision: number;
  readonly stage: string;
  readonly waits: readonly WaitView[];
}

/** A decision on an approval, as a person sends it. `decisionId` makes it repeatable; `shownHash` names what was shown. */
export interface DecisionInput {
  readonly decisionId: string;
  readonly by: string;
  readonly verdict: 'grant' | 'refuse';
  /** Words of people never cross: this is the id under which they are kept (ADR 0020). */
  readonly reasonId: string | null;
  readonly role: string | null;
  readonly shownHash: string;
  /** What a grant is given under; left out where nothing is. */
  readonly conditions?: readonly ConditionInput[];
  readonly at: Instant;
}

/** A condition of a grant; its words are kept under an id (ADR 0020). */
export interface ConditionInput {
  readonly conditionId: string;
  readonly role: string;
  readonly textId: string;
  readonly due: Instant | null;
}

/** Somebody who is asked stands back. */
export interface RecusalInput {
  readonly by: string;
  readonly reasonId: string;
  readonly at: Instant;
}

/** An approver asks the requester something. `role` as in a decision. */
export interface QuestionInput {
  readonly questionId: string;
  readonly by: string;
  readonly role: string | null;
  readonly textId: string;
  readonly at: Instant;
}

export interface AnswerInput {
  readonly answerId: string;
  readonly questionId: string;
  readonly by: string;
  readonly textId: string;
  readonly at: Instant;
}

/** A condition is fulfilled, with words of what shows it, or waived, with words of why. */
export interface ConditionEndInput {
  readonly endId: string;
  readonly conditionId: string;
  readonly as: 'fulfilled' | 'waived';
  readonly by: string;
  readonly textId: string;
  readonly at: Instant;
}

export type ApprovalSubject =
  'sow' | 'deal' | 'kickoff' | 'invoice' | 'project-close' | 'cancellation' | 'change-order' | 'correction' | 'policy' | ExceptionPath;

/** How an approval ends. `expired` is taken back by nobody: its time was over. */
export type ApprovalOutcome = 'approved' | 'refused' | 'withdrawn' | 'expired';

export interface ApprovalView extends LifecycleView {
  readonly approvalId: string;
  /** `conditions`: every vote is given, and nobody goes on by it yet. */
  readonly state: 'pending' | 'conditions' | ApprovalOutcome;
  readonly tier: number;
  readonly requestedBy: string;
  readonly shownHash: string;
  readonly decidedAt: Instant | null;
  readonly reasonId: string | null;
  /** While conditions are open, since these have a clock: told from outside, its run looks at them anew. Runs of before replay without. */
  readonly remindsOfConditions?: true;
}

/** `already-received`: the same decision came before; `already-applied`: the same person said the same under another id. */
export interface DecisionReceipt {
  /** Given by every answer since runs look anew at what is due after a decision; runs of before replay without. */
  readonly looksAnew?: true;
  readonly outcome: 'accepted' | 'already-received' | 'already-applied';
  readonly approval: ApprovalView;
}

export interface ApprovalResult {
  readonly approvalId: string;
  readonly state: ApprovalOutcome;
  readonly decidedAt: Instant;
  readonly reasonId: string | null;
}

export interface DealView extends LifecycleView {
  readonly dealId: string;
  readonly entityId: string;
  readonly customerId: string | null;
  readonly state: string;
}

export interface SowProposalInput extends Said {
  readonly proposalId: string;
  readonly documentId: string;
  readonly terms: readonly {
    readonly path: string;
    readonly value: string;
    readonly unit: string;
    readonly clause: string;
    readonly currency?: string;
  }[];
}

export interface SowProposalReceipt {
  readonly proposalId: string;
  readonly version: number;
  readonly discrepancies: number;
  readonly ignoredTerms: number;
}

export interface BaselineView extends DealView {
  readonly projectId: string;
  readonly project: ProjectView;
  /** The gate between contract and delivery. */
  readonly kickoff: ApprovalView;
  readonly lines: readonly {
    readonly contractLineId: string;
    readonly lineId: string;
    readonly engagementModel: string;
    readonly entityId: string;
  }[];
}

export interface CancellationInput extends Said {
  readonly requestId: string;
  readonly reasonId: string;
  readonly effectiveOn: LocalDate;
}

/** A change order as a person asks for it: the same number with the same content is the same order. */
export interface ChangeOrderInput extends ChangeOrder {
  readonly number: string;
  readonly title: string;
  readonly reasonId: string;
  readonly by: string;
  readonly at: Instant;
}

export interface ChangeOrderReceipt {
  readonly changeOrderId: string;
  readonly number: string;
  readonly approvalId: string;
}

/** The customer has signed a change order; who did is kept as a text. */
export interface CustomerApprovalInput {
  readonly changeOrderId: string;
  readonly documentReference: string;
  readonly signedOn: LocalDate;
  readonly signatoryId: string | null;
  readonly by: string;
  readonly at: Instant;
}

/** What finance answers about the accounting of a change order. */
export interface ModificationAnswersInput {
  readonly changeOrderId: string;
  readonly answers: ModificationAnswers;
  readonly by: string;
  readonly at: Instant;
}

export interface ChangeOrderWithdrawal {
  readonly changeOrderId: string;
  readonly reasonId: string | null;
  readonly by: string;
  readonly at: Instant;
}

/** Where a change order stands after an effect, with the deal. */
export interface ChangeOrderView extends DealView {
  readonly changeOrderId: string;
  readonly orderState: 'requested' | 'approved' | 'applied' | 'refused' | 'withdrawn';
  /** The firm and the customer have approved it, and finance has answered: it can be applied. */
  readonly ready: boolean;
  /** Contract lines that look again at what they bill. */
  readonly lineIds: readonly string[];
  /** Change orders that this one ended, because they name a version that governs no more. */
  readonly endedIds: readonly string[];
}

/** A change of a policy as a person asks for it. */
export type PolicyChangeInput = {
  readonly changeId: string;
  readonly reasonId: string;
  readonly by: string;
  readonly at: Instant;
} & (
  | {
      readonly action: 'introduce';
      readonly effectiveFrom: LocalDate;
      /** The global version that it follows or refines. */
      readonly basedOn: string;
      readonly content: Readonly<Record<string, unknown>>;
    }
  | { readonly action: 'withdraw'; readonly versionId: string }
);

/** Where the changes of one policy stand, of the group or of an entity. */
export interface PolicyChangeView extends LifecycleView {
  readonly kind: string;
  /** Where it is decided. */
  readonly entityId: string;
  readonly open: { readonly changeId: string; readonly approvalId: string } | null;
}

export interface PolicyChangeReceipt {
  readonly changeId: string;
  readonly approvalId: string;
}

/** What a contract line does next by itself, and what it waits for. */
export interface LineView extends LifecycleView {
  readonly contractLineId: string;
  readonly entityId: string;
  readonly customerId: string;
  readonly engagementModel: string;
  /** Next item of the billing plan that falls due by time, earliest first. */
  readonly nextItem: { readonly itemId: string; readonly itemKey: string; readonly at: Instant } | null;
  /** Items whose trigger has happened and that can be billed now (an accepted milestone). */
  readonly readyItems: readonly { readonly itemId: string; readonly itemKey: string }[];
  /** Delivered milestones whose silence becomes acceptance. */
  readonly deemed: readonly { readonly milestoneId: string; readonly attempt: number; readonly at: Instant }[];
  /** Invoices that nobody was asked about yet: each needs its run. */
  readonly drafts: readonly string[];
  readonly openInvoices: number;
  readonly finished: boolean;
}

export interface BillingResult {
  readonly invoiceId: string | null;
  readonly line: LineView;
}

export interface MilestoneDelivery extends Said {
  readonly deliveryId: string;
  readonly milestoneId: string;
  readonly deliveredAt: Instant;
}

export interface MilestoneResponse extends Said {
  readonly responseId: string;
  readonly milestoneId: string;
  readonly attempt: number;
  readonly response: 'accepted' | 'rejected';
  readonly respondedAt: Instant;
  readonly reasonId: string | null;
  readonly documentReference: string | null;
}

export interface UsageReport extends Said {
  readonly eventId: string;
  readonly servicePeriod: string;
  readonly tickets: number;
  readonly p1Tickets: number;
  readonly p1WithinTarget: number;
  readonly supersedes: string | null;
  readonly reportedAt: Instant;
}

export interface ItemRelease extends Said {
  readonly releaseId: string;
  readonly itemKey: string;
}

/** What finance does not bill: overage hours of a month of work (negative ones stay billed), or unbilled items of a kind. */
export type BillingWaiver = Waiver &
  Said & {
    readonly waiverId: string;
    readonly reasonCode: string;
  };

/** Finance asks for a run after the planned ones: of the next month that is not cut off. */
export interface RunRequest extends Said {
  readonly requestId: string;
}

export interface InvoiceView extends LifecycleView {
  readonly invoiceId: string;
  readonly contractLineId: string;
  readonly dealId: string;
  readonly projectId: string;
  readonly entityId: string;
  readonly customerId: string;
  readonly reference: string;
  readonly state: 'draft' | 'approved' | 'issued' | 'settled' | 'credited' | 'void';
  /** When an approved invoice is issued. */
  readonly issueAt: Instant | null;
  /** When collection acts next by itself (due date, dunning level, end of a hold). */
  readonly nextStepAt: Instant | null;
}

export interface CollectionHoldInput extends Said {
  readonly holdId: string;
  readonly kind: 'promise' | 'dunning-hold';
  readonly amountMinor: number | null;
  readonly reasonId: string;
  readonly from: Instant;
  readonly until: Instant | null;
}

/** What a customer does not accept of an issued invoice. `reasonId` names the customer's words. */
export interface DisputeInput extends Said {
  readonly disputeId: string;
  /** What the customer calls it. */
  readonly reference: string | null;
  /** The part that is disputed; null is the whole. */
  readonly amountMinor: number | null;
  readonly reasonCode: string;
  readonly reasonId: string;
  readonly ownerRole: string;
  readonly raisedAt: Instant;
}

/** What was found of a dispute; `notBillable` are items and lines of the invoice. */
export interface DisputeResolution extends Said {
  readonly resolutionId: string;
  readonly disputeId: string;
  readonly outcome: 'rejected' | 'upheld' | 'upheld-in-part';
  readonly notBillable: readonly NotBillable[];
  readonly reasonId: string | null;
}

export type NotBillable = { readonly item: string } | { readonly line: number };

/** Finance asks for the correction of an issued invoice. */
export interface CorrectionInput extends Said {
  readonly correctionId: string;
  readonly request: CorrectionRequest;
  readonly disputeId: string | null;
  readonly reasonCode: string;
  readonly reasonId: string | null;
}

/** Where the disputes and the correction of an invoice stand. */
export interface CorrectionView extends LifecycleView {
  readonly invoiceId: string;
  readonly dealId: string;
  readonly projectId: string;
  readonly contractLineId: string;
  readonly entityId: string;
  readonly customerId: string;
  readonly openDisputes: number;
  /** The correction that is being decided or waits for its day of issue. */
  readonly open: {
    readonly correctionId: string;
    readonly approvalId: string;
    readonly state: 'requested' | 'approved';
    readonly issueAt: Instant | null;
  } | null;
}

export interface CorrectionReceipt {
  readonly correctionId: string;
  readonly approvalId: string;
  readonly view: CorrectionView;
}

export interface IssuedCorrection {
  readonly view: CorrectionView;
  /** Null where nothing is billed once more, or where the correction ended without its issue. */
  readonly rebillId: string | null;
}

export interface ProjectView extends LifecycleView {
  readonly projectId: string;
  readonly dealId: string;
  readonly entityId: string;
  readonly customerId: string;
  readonly state: string;
  /** Every proof of the close checklist is there, the customer's sign-off included. */
  readonly readyToClose: boolean;
}

export interface HoldLift extends Said {
  readonly holdId: string;
}

export interface SignOffInput extends Said {
  readonly signOffId: string;
  readonly documentReference: string;
  readonly signedOn: LocalDate;
}

/** What an intake changed: the invoices whose open amount moved. */
export interface IntakeResult {
  readonly inboxEventId: string;
  readonly invoices: readonly {
    readonly invoiceId: string;
    readonly dealId: string;
    readonly contractLineId: string;
    readonly wasSettled: boolean;
  }[];
  /** Lines whose readiness may have changed. */
  readonly lines: readonly string[];
  /** Lines that had finished and have something to bill again: they begin anew. */
  readonly reopened?: readonly ReopenedLine[];
  /** Deals in handoff whose missing data may have come. */
  readonly deals: readonly string[];
  /** Projects that are closing and whose checklist may have changed. */
  readonly projects: readonly string[];
  /** Workflow ids of runs that are stuck for master data, which may have come. */
  readonly stuckRuns?: readonly string[];
  /** Blocks of a large file that are still to be applied, each by an effect of its own. */
  readonly blocks?: number;
}

/** What the new run of a line that had finished is started with. */
export interface ReopenedLine {
  readonly contractLineId: string;
  readonly dealId: string;
  readonly projectId: string;
  readonly customerId: string;
  readonly entityId: string;
  readonly engagementModel: string;
}

/** The outcome that somebody chooses for an exception. `target` is what the option speaks of: a role, a change order. */
export interface OutcomeInput extends Said {
  readonly choiceId: string;
  readonly option: ExceptionOption;
  readonly evidence: string | null;
  readonly target: string | null;
  readonly reasonId: string;
  /** Hash of what is kept beside the message, because it is too large for it: the items that are chosen, or corrected facts. */
  readonly enclosed?: string;
}

/** Where an exception stands. */
export interface ExceptionView extends LifecycleView {
  readonly exceptionId: string;
  readonly path: ExceptionPath;
  readonly state: ExceptionStage;
  readonly dealId: string | null;
  readonly entityId?: string;
  /** The outcome that stands; `asked` is the approval that it needs. */
  readonly choice: { readonly choiceId: string; readonly asked: ApprovalView | null } | null;
}

/** What an outcome tells other runs, once it is on record: each looks again at the facts, or ends what was asked. */
export interface OutcomeMessage {
  readonly workflowId: string;
  readonly message: 'retry' | 'recheck-line' | 'recheck-project' | 'recheck-approval' | 'withdraw-approval';
  readonly reasonId: string | null;
}
