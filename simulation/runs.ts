import { type Client } from '@temporalio/client';
import { temporal } from '@temporalio/proto';

/** One run as its server describes it. `busy` says what of it is under way, null where it only waits. */
export interface RunState {
  readonly workflowId: string;
  readonly runId: string;
  readonly type: string;
  readonly open: boolean;
  readonly historyLength: number;
  readonly busy: string | null;
  readonly startedChildren: readonly string[];
  readonly parent: string | null;
  /** What the server reports of a run whose workflow task keeps failing (FACTS: `TemporalReportedProblems`). */
  readonly problems: readonly string[];
  readonly searchAttributes: Readonly<Record<string, string>>;
}

const STALLED_AFTER_ATTEMPTS = 3;

/** Ids of the runs that the visibility store lists as running; it may lag behind, so it is never the only source. */
export async function listedRuns(client: Client): Promise<string[]> {
  const ids: string[] = [];
  for await (const run of client.workflow.list({ query: 'ExecutionStatus = "Running"', pageSize: 1000 })) ids.push(run.workflowId);
  return ids;
}

/** The latest run of a workflow id, null where the server knows none. */
export async function describeRun(client: Client, workflowId: string): Promise<RunState | null> {
  try {
    const answer = await client.workflowService.describeWorkflowExecution({
      namespace: client.options.namespace,
      execution: { workflowId },
    });
    return runState(workflowId, answer);
  } catch (error) {
    if ((error as { code?: number }).code === 5) return null;
    throw error;
  }
}

/** Signals that a run sends to others, as the end of its history shows them; a description does not. */
export interface SentSignals {
  readonly underWay: boolean;
  readonly targets: readonly string[];
}

const TAIL_EVENTS = 40;

export async function sentSignals(client: Client, run: RunState): Promise<SentSignals> {
  const { history } = await client.workflowService.getWorkflowExecutionHistoryReverse({
    namespace: client.options.namespace,
    execution: { workflowId: run.workflowId, runId: run.runId },
    maximumPageSize: TAIL_EVENTS,
  });
  const events = history?.events ?? [];
  const answered = new Set(
    events.flatMap((event) => {
      const end = event.externalWorkflowExecutionSignaledEventAttributes ?? event.signalExternalWorkflowExecutionFailedEventAttributes;
      return end?.initiatedEventId ? [String(end.initiatedEventId)] : [];
    }),
  );
  const sent = events.filter((event) => event.signalExternalWorkflowExecutionInitiatedEventAttributes);
  return {
    underWay: sent.some((event) => !answered.has(String(event.eventId))),
    targets: sent.map((event) => event.signalExternalWorkflowExecutionInitiatedEventAttributes?.workflowExecution?.workflowId ?? ''),
  };
}

function runState(workflowId: string, answer: temporal.api.workflowservice.v1.IDescribeWorkflowExecutionResponse): RunState {
  const info = answer.workflowExecutionInfo ?? {};
  const fields = info.searchAttributes?.indexedFields ?? {};
  const attributes = Object.fromEntries(Object.entries(fields).map(([name, payload]) => [name, textOf(payload)]));
  const children = answer.pendingChildren ?? [];
  return {
    workflowId,
    runId: info.execution?.runId ?? '',
    type: info.type?.name ?? '',
    open: info.status === temporal.api.enums.v1.WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING,
    historyLength: Number(info.historyLength ?? 0),
    busy: busyWith(answer),
    startedChildren: children.flatMap((child) => (child.runId && child.workflowId ? [child.workflowId] : [])),
    parent: info.parentExecution?.workflowId || null,
    problems: problemsOf(answer, attributes.TemporalReportedProblems),
    searchAttributes: attributes,
  };
}

function busyWith(answer: temporal.api.workflowservice.v1.IDescribeWorkflowExecutionResponse): string | null {
  if (answer.pendingWorkflowTask) return 'a workflow task';
  const activity = answer.pendingActivities?.[0];
  if (activity) return `activity ${activity.activityType?.name ?? ''} (attempt ${activity.attempt ?? 1})`;
  const unstarted = answer.pendingChildren?.find((child) => !child.runId);
  return unstarted ? `child ${unstarted.workflowId ?? ''} not started` : null;
}

function problemsOf(answer: temporal.api.workflowservice.v1.IDescribeWorkflowExecutionResponse, reported: string | undefined): string[] {
  const attempt = answer.pendingWorkflowTask?.attempt ?? 0;
  const failing = attempt > STALLED_AFTER_ATTEMPTS ? [`its workflow task fails again and again (attempt ${attempt})`] : [];
  return reported ? [reported, ...failing] : failing;
}

/** Search attributes are JSON payloads; a list is written with commas. */
function textOf(payload: temporal.api.common.v1.IPayload): string {
  const text = Buffer.from(payload.data ?? []).toString('utf8');
  if (text === '' || text === 'null') return '';
  const value: unknown = JSON.parse(text);
  return Array.isArray(value) ? value.join(', ') : String(value);
}
