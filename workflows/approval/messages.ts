import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { ApprovalSubject, ApprovalView, ClockState, DecisionInput, DecisionReceipt } from '../../contracts/workflow-state';

export interface ApprovalInput {
  readonly subjectKind: ApprovalSubject;
  readonly subjectId: string;
  /** Null for what belongs to no deal. */
  readonly dealId: string | null;
  /** As the effect that asks has opened it. */
  readonly opened: ApprovalView;
  readonly clock: ClockState;
}

/** Answers after the decision is committed, exactly one at a time (D4). */
export const decideUpdate = defineUpdate<DecisionReceipt, [DecisionInput]>('decide');
export const withdrawSignal = defineSignal<[{ reasonId: string | null; at: string }]>('withdraw');
/** Whom it asks changed from outside: show it. */
export const recheckApprovalSignal = defineSignal<[{ at: string }]>('recheckApproval');
export const approvalQuery = defineQuery<ApprovalView>('approval');
