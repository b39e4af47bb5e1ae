import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { ClockState, ExceptionView, OutcomeInput } from '../../contracts/workflow-state';

export interface ExceptionPathInput {
  readonly exceptionId: string;
  readonly dealId: string | null;
  readonly clock: ClockState;
}

/** Answers after the choice is committed; what it changes comes with the run's next step, or with its approval. */
export const chooseOutcomeUpdate = defineUpdate<ExceptionView, [OutcomeInput]>('chooseOutcome');
/** The facts of the exception changed: look again. */
export const exceptionChangedSignal = defineSignal<[{ at: string }]>('exceptionChanged');
export const exceptionQuery = defineQuery<ExceptionView | null>('exception');
