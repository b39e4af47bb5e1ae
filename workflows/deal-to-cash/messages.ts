import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type {
  CancellationInput,
  ChangeOrderInput,
  ChangeOrderReceipt,
  ChangeOrderWithdrawal,
  ClockState,
  CustomerApprovalInput,
  DealView,
  ModificationAnswersInput,
  SowProposalInput,
  SowProposalReceipt,
} from '../../contracts/workflow-state';

export interface DealToCashInput {
  readonly dealId: string;
  readonly clock: ClockState;
}

export interface DealToCashResult {
  readonly dealId: string;
  readonly outcome: 'closed' | 'declined' | 'cancelled';
}

/** A CRM reported the deal (again), or master data changed: a waiting handoff looks again. */
export const dealReportedSignal = defineSignal<[{ eventId: string; at: string }]>('dealReported');
export const proposeTermsUpdate = defineUpdate<SowProposalReceipt, [SowProposalInput]>('proposeTerms');
export const requestCancellationUpdate = defineUpdate<{ approvalId: string }, [CancellationInput]>('requestCancellation');
/** A change of the running contract; the same number with the same content is the same order. */
export const requestChangeUpdate = defineUpdate<ChangeOrderReceipt, [ChangeOrderInput]>('requestChange');
export const recordCustomerApprovalUpdate = defineUpdate<void, [CustomerApprovalInput]>('recordCustomerApproval');
export const answerAccountingUpdate = defineUpdate<void, [ModificationAnswersInput]>('answerAccounting');
export const withdrawChangeUpdate = defineUpdate<void, [ChangeOrderWithdrawal]>('withdrawChange');
/** A contract line that was opened again has ended anew; of its first end the deal learns as its parent. */
export const lineFinishedSignal = defineSignal<[{ contractLineId: string; at: string }]>('lineFinished');
/** A line that had ended has something to bill again. */
export const lineReopenedSignal = defineSignal<[{ contractLineId: string; at: string }]>('lineReopened');
export const dealQuery = defineQuery<DealView | null>('deal');
