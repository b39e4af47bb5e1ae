import { type Instant } from '../domain/deal/terms';
import { type Violation } from '../domain/violation';
import { type BooksActivities } from './books';
import {
  type AnswerInput,
  type ApprovalOutcome,
  type ApprovalView,
  type BaselineView,
  type BillingResult,
  type BillingWaiver,
  type CancellationInput,
  type ChangeOrderInput,
  type ChangeOrderReceipt,
  type ChangeOrderView,
  type ChangeOrderWithdrawal,
  type CollectionHoldInput,
  type ConditionEndInput,
  type CorrectionInput,
  type CorrectionReceipt,
  type CorrectionView,
  type CustomerApprovalInput,
  type DealView,
  type DecisionInput,
  type DecisionReceipt,
  type DisputeInput,
  type DisputeResolution,
  type ExceptionView,
  type HoldLift,
  type IntakeResult,
  type InvoiceView,
  type IssuedCorrection,
  type ItemRelease,
  type LineView,
  type MilestoneDelivery,
  type MilestoneResponse,
  type ModificationAnswersInput,
  type OutcomeInput,
  type OutcomeMessage,
  type PolicyChangeInput,
  type PolicyChangeReceipt,
  type PolicyChangeView,
  type ProjectView,
  type QuestionInput,
  type RecusalInput,
  type RunRequest,
  type SignOffInput,
  type SowProposalInput,
  type SowProposalReceipt,
  type UsageReport,
} from './workflow-state';

/**
 * Every effect of the lifecycles. Each is one transaction with one key; it may run twice, the second run gives the first
 * answer (D5). `at` is the business moment. `look` names one
 * look of a run at the facts: with the run id it makes the key of a review, because a review only states anew what the facts say.
 * `turn` counts what a run does several times to the same thing.
 */
export interface DealActivities {
  /** Checks the commercial baseline for completeness; what is missing becomes the deal's open wait. */
  reviewHandoff(input: { dealId: string; look: string; at: Instant }): Promise<DealView & { complete: boolean }>;
  recordSowProposal(input: {
    dealId: string;
    proposal: SowProposalInput;
    at: Instant;
  }): Promise<{ receipt: SowProposalReceipt; deal: DealView; asked: ApprovalView }>;
  /** Applies the outcome of the approval of the statement of work: governing terms and the deal asked for, or back to a new proposal. */
  settleSowProposal(input: {
    dealId: string;
    proposalId: string;
    approvalId: string;
    confirmed: boolean;
    at: Instant;
  }): Promise<DealView & { asked: ApprovalView | null }>;
  /** Contract version, project hierarchy, budget, billing plan: one transaction. Then the kickoff gate, or delivery where it asks nobody. */
  createBaseline(input: { dealId: string; approvalId: string; at: Instant }): Promise<BaselineView>;
  /** A refused kickoff is sent back: the deal waits for mobilisation to be put right. */
  sendBackKickoff(input: { dealId: string; approvalId: string; at: Instant }): Promise<DealView>;
  /** Asks once more after the refused approval. */
  askKickoffAgain(input: { dealId: string; approvalId: string; at: Instant }): Promise<DealView & { asked: ApprovalView }>;
  startDelivery(input: { dealId: string; at: Instant }): Promise<DealView>;
  startClosing(input: { dealId: string; at: Instant }): Promise<DealView>;
  closeDeal(input: { dealId: string; at: Instant }): Promise<DealView>;
  declineDeal(input: { dealId: string; reasonId: string | null; at: Instant }): Promise<DealView>;
  requestCancellation(input: { dealId: string; cancellation: CancellationInput }): Promise<DealView & { asked: ApprovalView }>;
  /** Takes an unapproved cancellation back. */
  dropCancellation(input: { dealId: string; requestId: string; at: Instant }): Promise<DealView>;
  startCancellation(input: { dealId: string; requestId: string; approvalId: string; at: Instant }): Promise<DealView>;
  finishCancellation(input: { dealId: string; requestId: string; at: Instant }): Promise<DealView>;
}

export interface ChangeActivities {
  /** Checks a change order against the contract and keeps it for its approval. */
  requestChangeOrder(input: {
    dealId: string;
    order: ChangeOrderInput;
  }): Promise<{ receipt: ChangeOrderReceipt; deal: DealView; asked: ApprovalView }>;
  recordCustomerApproval(input: { dealId: string; approval: CustomerApprovalInput }): Promise<ChangeOrderView>;
  answerAccounting(input: { dealId: string; accounting: ModificationAnswersInput }): Promise<ChangeOrderView>;
  withdrawChangeOrder(input: { dealId: string; withdrawal: ChangeOrderWithdrawal }): Promise<ChangeOrderView>;
  /** Takes over how the approval of the firm ended. */
  settleChangeOrder(input: { dealId: string; changeOrderId: string; outcome: ApprovalOutcome; at: Instant }): Promise<ChangeOrderView>;
  /** The next contract version with its lines, tasks, budget and billing plan: one transaction. Or the order no longer fits and ends. */
  applyChangeOrder(input: { dealId: string; changeOrderId: string; at: Instant }): Promise<ChangeOrderView>;
}

/** A decision without the run of its approval: what `recordDecision` gives, or why not. */
export type DecideApart = (input: Parameters<ApprovalActivities['recordDecision']>[0]) => Promise<DecisionReceipt | Violation>;

export interface ApprovalActivities {
  recordDecision(input: { approvalId: string; decision: DecisionInput }): Promise<DecisionReceipt>;
  recordRecusal(input: { approvalId: string; recusal: RecusalInput }): Promise<ApprovalView>;
  recordQuestion(input: { approvalId: string; question: QuestionInput }): Promise<ApprovalView>;
  recordAnswer(input: { approvalId: string; answer: AnswerInput }): Promise<ApprovalView>;
  recordConditionEnd(input: { approvalId: string; end: ConditionEndInput }): Promise<ApprovalView>;
  /** Reminders and escalation that have come due by `at`; its end where its time is over. */
  /** `quiet`: where nothing has come due, nobody is reminded. */
  remindApprovers(input: { approvalId: string; look: string; at: Instant; quiet?: boolean }): Promise<ApprovalView>;
  withdrawApproval(input: { approvalId: string; reasonId: string | null; at: Instant }): Promise<ApprovalView>;
}

export interface LineActivities {
  activateLine(input: { contractLineId: string; at: Instant }): Promise<LineView>;
  recordDelivery(input: { contractLineId: string; delivery: MilestoneDelivery }): Promise<LineView>;
  recordResponse(input: { contractLineId: string; response: MilestoneResponse }): Promise<LineView>;
  recordDeemedAcceptance(input: { contractLineId: string; milestoneId: string; attempt: number; at: Instant }): Promise<LineView>;
  recordUsage(input: { contractLineId: string; report: UsageReport }): Promise<LineView>;
  /** Drafts the invoice of a due billing plan item, finds that there is nothing to bill, or names its blockers. */
  billItem(input: { contractLineId: string; itemId: string; turn: number; at: Instant }): Promise<BillingResult>;
  /** Looks again at what is due, blocked and open; where nothing is left, the line has ended. So do all effects on a line. */
  reviewLine(input: { contractLineId: string; look: string; at: Instant }): Promise<LineView>;
  /** Stops a line on a date: planned items after it are void, milestones not accepted are cancelled (I-13). */
  stopLine(input: { contractLineId: string; stoppedOn: string; at: Instant }): Promise<LineView>;
  /** Releases a billing plan item whose draft was refused: it is billed anew. */
  releaseItem(input: { contractLineId: string; release: ItemRelease }): Promise<LineView>;
  /** Finance decides what is not billed, or stays billed. */
  recordWaiver(input: { contractLineId: string; waiver: BillingWaiver }): Promise<LineView>;
  /** Finance asks for a run after the planned ones. */
  planRun(input: { contractLineId: string; request: RunRequest }): Promise<LineView>;
}

export interface InvoiceActivities {
  /** Asks for approval of a draft, the `turn`th time; where nobody is asked, the answer is what `approveInvoice` gives. */
  openInvoice(input: { invoiceId: string; turn: number; at: Instant }): Promise<InvoiceView & { asked: ApprovalView }>;
  /** The approved invoice gets its issue moment, or is a draft again because its tax is another on that day. */
  approveInvoice(input: { invoiceId: string; approvalId: string; at: Instant }): Promise<InvoiceView>;
  /** `outcome` is how the approval ended; `reasonId` why, in somebody's words. */
  voidInvoice(input: {
    invoiceId: string;
    outcome: Exclude<ApprovalOutcome, 'approved'>;
    reasonId: string | null;
    at: Instant;
  }): Promise<InvoiceView>;
  /** Number without gaps, due date, journal entry, receivable (D15); or a draft again, see `approveInvoice`. */
  issueInvoice(input: { invoiceId: string; approvalId: string; at: Instant }): Promise<InvoiceView>;
  /** After cash moved, a hold changed, or a step of the dunning ladder came due. */
  reviewReceivable(input: { invoiceId: string; look: string; at: Instant }): Promise<InvoiceView>;
  recordHold(input: { invoiceId: string; hold: CollectionHoldInput }): Promise<InvoiceView>;
  liftHold(input: HoldLift & { invoiceId: string }): Promise<InvoiceView>;
}

export interface CorrectionActivities {
  raiseDispute(input: { invoiceId: string; dispute: DisputeInput }): Promise<CorrectionView>;
  resolveDispute(input: { invoiceId: string; resolution: DisputeResolution }): Promise<CorrectionView>;
  /** Checks a correction against what stands on the invoice and keeps it for its approval. */
  requestCorrection(input: { invoiceId: string; correction: CorrectionInput }): Promise<CorrectionReceipt & { asked: ApprovalView }>;
  /** Takes over how its approval ended: the day of issue, or its end. */
  settleCorrection(input: { invoiceId: string; correctionId: string; outcome: ApprovalOutcome; at: Instant }): Promise<CorrectionView>;
  /** Credit note and rebill with numbers, documents, postings and the cash that moves along: one transaction. */
  issueCorrection(input: { invoiceId: string; correctionId: string; at: Instant }): Promise<IssuedCorrection>;
}

/** `entityId` is the entity that says something otherwise, null for the group. */
export interface PolicyActivities {
  /** Checks a change of a policy against what is in force and keeps it for its approval. */
  requestPolicyChange(input: {
    kind: string;
    entityId: string | null;
    change: PolicyChangeInput;
  }): Promise<{ receipt: PolicyChangeReceipt; view: PolicyChangeView; asked: ApprovalView }>;
  /** Takes over how its approval ended: the version in force or taken back, or nothing. */
  settlePolicyChange(input: { kind: string; changeId: string; outcome: ApprovalOutcome; at: Instant }): Promise<PolicyChangeView>;
}

export interface ProjectActivities {
  reviewClosing(input: { projectId: string; look: string; at: Instant }): Promise<ProjectView>;
  recordSignOff(input: { projectId: string; signOff: SignOffInput }): Promise<ProjectView>;
  awaitClosingApproval(input: { projectId: string; turn: number; at: Instant }): Promise<ProjectView & { asked: ApprovalView }>;
  /** A refused close is sent back: the project waits for somebody to put right what it was refused for. */
  sendBackClosing(input: { projectId: string; approvalId: string; at: Instant }): Promise<ProjectView>;
  closeProject(input: { projectId: string; approvalId: string; at: Instant }): Promise<ProjectView>;
  cancelProject(input: { projectId: string; at: Instant }): Promise<ProjectView>;
}

export interface IntakeActivities {
  /** Applies one inbox event of a stream (a batch of time entries, a bank file of one block) in one transaction, or opens a larger bank file. */
  applyIntake(input: { inboxEventId: string; at: Instant }): Promise<IntakeResult>;
  /** Applies the block of a number, from 1, of a bank file that was opened before. */
  applyIntakeBlock(input: { inboxEventId: string; block: number; at: Instant }): Promise<IntakeResult>;
}

export interface ExceptionActivities {
  /**
   * A run that cannot go on by itself becomes a task (`open_wait` kind `stuck`, `process_exception`): of finance where `code`, that of the
   * refusal, says that master data is missing, else of the operators. `input` is that of the effect: the ids in it say what it is about.
   */
  reportStuck(input: {
    effect: string;
    why: string;
    code?: string | null;
    input?: object;
    at: Instant;
  }): Promise<{ role: 'finance-controller' | 'operator' }>;
  /** The step is given up, or (`again`) tried again: then its task stays until the step succeeds, unless somebody chose that outcome. */
  reportUnstuck(input: { effect: string; again?: boolean; at: Instant }): Promise<void>;
  /** Asks the owner of an exception, reminds, escalates, takes back what did not help, and sees that it is settled. */
  reviewException(input: { exceptionId: string; look: string; at: Instant }): Promise<ExceptionView>;
  /** Keeps the outcome that somebody chose, and asks for its approval where it needs one. */
  chooseOutcome(input: { exceptionId: string; choice: OutcomeInput }): Promise<ExceptionView>;
  /** Changes the facts as it was chosen, or gives the exception back where the outcome was not approved. */
  carryOutOutcome(input: {
    exceptionId: string;
    choiceId: string;
    approval: ApprovalOutcome | null;
    at: Instant;
  }): Promise<ExceptionView & { tells: readonly OutcomeMessage[] }>;
}

export type Activities = DealActivities &
  ChangeActivities &
  ApprovalActivities &
  LineActivities &
  InvoiceActivities &
  CorrectionActivities &
  PolicyActivities &
  ProjectActivities &
  IntakeActivities &
  BooksActivities &
  ExceptionActivities;
