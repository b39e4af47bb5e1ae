import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { ClockState, ProjectView, SignOffInput } from '../../contracts/workflow-state';

export interface ProjectToCloseInput {
  readonly projectId: string;
  readonly dealId: string;
  /** As the baseline has opened it. */
  readonly opened: ProjectView;
  readonly clock: ClockState;
}

/** Every contract line has ended. */
export const deliveryFinishedSignal = defineSignal<[{ at: string }]>('deliveryFinished');
export const cancelProjectSignal = defineSignal<[{ at: string }]>('cancelProject');
/** Facts of the checklist changed: look again. */
export const recheckProjectSignal = defineSignal<[{ at: string }]>('recheckProject');
export const signOffUpdate = defineUpdate<ProjectView, [SignOffInput]>('signOff');
export const projectQuery = defineQuery<ProjectView | null>('project');
