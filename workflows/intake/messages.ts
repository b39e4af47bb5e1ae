import { defineSignal } from '@temporalio/workflow';
import type { ClockState } from '../../contracts/workflow-state';

export interface IntakeInput {
  /** What is taken one after the other: `bank`, `time/<dealId>`, `master-data`. */
  readonly stream: string;
  readonly clock: ClockState;
  /** Set when a large file goes on in a new run: what was under way and what still waits. */
  readonly goOn?: {
    readonly current: QueuedEvent;
    readonly nextBlock: number;
    readonly blocks: number;
    readonly queue: readonly QueuedEvent[];
  };
}

export interface QueuedEvent {
  readonly inboxEventId: string;
  readonly at: string;
}

export const enqueueSignal = defineSignal<[QueuedEvent]>('enqueue');
