import { type Client } from '@temporalio/client';
import { temporal } from '@temporalio/proto';
import { historyOf } from '../../workers/run-history';

export type HistoryEvent = temporal.api.history.v1.IHistoryEvent;

/** A run of a lifecycle with everything that happened in it. */
export interface RunHistory {
  readonly workflowId: string;
  readonly runId: string;
  readonly type: string;
  readonly events: readonly HistoryEvent[];
  readonly bytes: number;
}

export const EventType = temporal.api.enums.v1.EventType;

/** The histories of some runs and of every child below them, parents first; each run once it has ended. */
export async function historiesBelow(client: Client, workflowIds: readonly string[]): Promise<RunHistory[]> {
  const runs: RunHistory[] = [];
  for (const workflowId of workflowIds) {
    const handle = client.workflow.getHandle(workflowId);
    await handle.result();
    const { runId, type } = await handle.describe();
    const history = await historyOf(client, workflowId, runId);
    const bytes = temporal.api.history.v1.History.encode(history).finish().length;
    runs.push({ workflowId, runId, type, events: history.events, bytes });
    const children = history.events.flatMap(({ startChildWorkflowExecutionInitiatedEventAttributes: child }) => child?.workflowId ?? []);
    runs.push(...(await historiesBelow(client, children)));
  }
  return runs;
}
