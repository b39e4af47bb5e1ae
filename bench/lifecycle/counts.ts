import { EventType, type HistoryEvent, type RunHistory } from './histories';

/** What one lifecycle costs the servers, counted and not measured: the same on every machine. */
export interface LifecycleCounts {
  readonly remoteActivities: number;
  readonly localActivities: number;
  /** Runs that another run started, and runs that were started from outside (the deal, the payment's intake). */
  readonly children: number;
  readonly roots: number;
  readonly historyEvents: number;
  readonly historyBytes: number;
  readonly workflowTasks: number;
  readonly timers: number;
  readonly upserts: number;
  readonly updates: number;
  readonly signals: number;
  /** As Temporal Cloud would bill it. */
  readonly billableActions: number;
}

export function countsOf(runs: readonly RunHistory[]): LifecycleCounts {
  const events = runs.flatMap((run) => run.events);
  const count = (type: number): number => events.filter((event) => Number(event.eventType) === type).length;
  const children = count(EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED);
  const found = {
    remoteActivities: count(EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED),
    localActivities: events.filter(isLocalActivity).length,
    children,
    roots: runs.length - children,
    historyEvents: events.length,
    historyBytes: runs.reduce((sum, run) => sum + run.bytes, 0),
    workflowTasks: count(EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED),
    timers: count(EventType.EVENT_TYPE_TIMER_STARTED),
    upserts: count(EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES),
    updates: count(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED),
    signals: count(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED),
  };
  return { ...found, billableActions: billable(found, runs) };
}

/** Local activities leave a marker. */
export function isLocalActivity(event: HistoryEvent): boolean {
  return event.markerRecordedEventAttributes?.markerName === 'core_local_activity';
}

/**
 * Starts (a child counts twice: its command and its start), remote activities, workflow tasks with local activities (all of one task
 * count once), timers, upserts, updates and signals; a signal that comes with the start counts too.
 */
function billable(found: Omit<LifecycleCounts, 'billableActions'>, runs: readonly RunHistory[]): number {
  const { roots, children, remoteActivities, timers, upserts, updates, signals } = found;
  const localTasks = new Set(
    runs.flatMap(({ runId, events }) =>
      events.flatMap((event) => {
        const task = event.markerRecordedEventAttributes?.workflowTaskCompletedEventId;
        return isLocalActivity(event) ? [`${runId}/${String(task)}`] : [];
      }),
    ),
  );
  return roots + 2 * children + remoteActivities + localTasks.size + timers + upserts + updates + signals;
}
