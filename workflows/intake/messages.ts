import { defineSignal } from '@temporalio/workflow';
import type { ClockState } from '../../contracts/workflow-state';

export interface IntakeInput {
  /** What is taken one after the other: `bank`, `time/<dealId>`, `master-data`. */
  readonly stream: string;
  readonly clock: ClockState;
}

export const enqueueSignal = defineSignal<[{ inboxEventId: string; at: string }]>('enqueue');
