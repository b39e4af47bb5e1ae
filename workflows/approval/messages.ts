import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type {
  AnswerInput,
  ApprovalSubject,
  ApprovalView,
  ClockState,
  ConditionEndInput,
  DecisionInput,
  DecisionReceipt,
  QuestionInput,
  RecusalInput,
} from '../../contracts/workflow-state';

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
/** Each answers after it is committed, with the approval as it stands then. */
export const recuseUpdate = defineUpdate<ApprovalView, [RecusalInput]>('recuse');
export const askUpdate = defineUpdate<ApprovalView, [QuestionInput]>('ask');
export const answerUpdate = defineUpdate<ApprovalView, [AnswerInput]>('answer');
export const endConditionUpdate = defineUpdate<ApprovalView, [ConditionEndInput]>('endCondition');
export const withdrawSignal = defineSignal<[{ reasonId: string | null; at: string }]>('withdraw');
/** Whom it asks changed from outside: show it. */
export const recheckApprovalSignal = defineSignal<[{ at: string; decided?: boolean }]>('recheckApproval');
export const approvalQuery = defineQuery<ApprovalView>('approval');
