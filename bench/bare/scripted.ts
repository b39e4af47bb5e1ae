import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import { EventType, type HistoryEvent, type RunHistory } from '../lifecycle/histories';
import { isLocalActivity } from '../lifecycle/counts';
import { type Attributes, type LifecycleScript, type OutsideMessage, type RunScript, type Step } from './script';

/** Commits that the product makes for an event of its inbox: stored, claimed, (a deal) taken in, settled. */
const INBOX_COMMITS = { deal: 4, facts: 3 };

/**
 * The script of a lifecycle from its own histories: the commands of every kind, in their order, and what they waited for. The first run
 * is the one that the lifecycle ends with.
 */
export function scriptOf(histories: readonly RunHistory[]): LifecycleScript {
  const roles = new Map(histories.map((run, index) => [run.workflowId, `${run.type}-${index}`]));
  const children = new Set(histories.flatMap(childrenOf));
  const runs = histories.map((run): RunScript => {
    const steps = run.events.flatMap((event) => stepOf(event, run, roles, histories));
    return { role: roleOf(roles, run), steps, commits: steps.filter(isCommit).length };
  });
  const first = runs[0];
  if (first === undefined) throw new Error('a lifecycle has a run');
  const messages = histories.flatMap((run) => [
    ...(children.has(run.workflowId) ? [] : [startOf(run, histories, roles)]),
    ...messagesTo(run, roles, histories),
  ]);
  return { runs, messages, ends: { role: first.role, commits: first.commits } };
}

function stepOf(event: HistoryEvent, run: RunHistory, roles: ReadonlyMap<string, string>, histories: readonly RunHistory[]): Step[] {
  const child = event.startChildWorkflowExecutionInitiatedEventAttributes;
  const timer = event.timerStartedEventAttributes;
  const sent = event.signalExternalWorkflowExecutionInitiatedEventAttributes;
  switch (event.eventType) {
    case EventType.EVENT_TYPE_MARKER_RECORDED:
      if (!isLocalActivity(event)) throw new Error(`${run.type} records a marker that is no local activity`);
      return [{ do: 'local' }];
    case EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
      return [{ do: 'remote' }];
    case EventType.EVENT_TYPE_TIMER_STARTED:
      return [{ do: 'timer', timer: timer?.timerId ?? '', milliseconds: Number(timer?.startToFireTimeout?.seconds ?? 0) * 1000 }];
    case EventType.EVENT_TYPE_TIMER_CANCELED:
      return [{ do: 'cancel-timer', timer: event.timerCanceledEventAttributes?.timerId ?? '' }];
    case EventType.EVENT_TYPE_TIMER_FIRED:
      return [{ do: 'await-timer', timer: event.timerFiredEventAttributes?.timerId ?? '' }];
    case EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES:
      return [{ do: 'upsert', attributes: attributesIn(event.upsertWorkflowSearchAttributesEventAttributes?.searchAttributes) }];
    case EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED: {
      const role = roles.get(child?.workflowId ?? '') ?? '';
      return [
        { do: 'child', role, abandoned: Number(child?.parentClosePolicy) === ABANDON, attributes: attributesIn(child?.searchAttributes) },
      ];
    }
    case EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED:
      return awaitChild('await-child-start', event.childWorkflowExecutionStartedEventAttributes?.workflowExecution?.workflowId, roles);
    case EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED: {
      const id = event.childWorkflowExecutionCompletedEventAttributes?.workflowExecution?.workflowId;
      // Nobody waits for the end of a child that has told it by a signal before; it comes when it comes.
      return tellsBySignal(id, run, histories) ? [] : awaitChild('await-child-end', id, roles);
    }
    case EventType.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED:
      return [{ do: 'signal', role: roles.get(sent?.workflowExecution?.workflowId ?? '') ?? '', signal: String(event.eventId) }];
    case EventType.EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_SIGNALED:
      return [{ do: 'await-signal-sent', signal: String(event.externalWorkflowExecutionSignaledEventAttributes?.initiatedEventId) }];
    case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:
      return [{ do: 'await-signal' }];
    case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED:
      return [{ do: 'await-update' }];
    case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED:
      return [{ do: 'answer-update' }];
    default:
      if (event.eventType && SILENT.has(event.eventType)) return [];
      throw new Error(`the bare workflows do not know how to do ${EventType[event.eventType ?? 0]} of ${run.type}`);
  }
}

/** Events that are no step of the run. */
const SILENT: ReadonlySet<number> = new Set([
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED,
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
  EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED,
  EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED,
  EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED,
  // A message came while the task was answered: the server gives the task once more.
  EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED,
  EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT,
  EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED,
  EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED,
]);

const ABANDON = 2;

function awaitChild(
  how: 'await-child-start' | 'await-child-end',
  id: string | null | undefined,
  roles: ReadonlyMap<string, string>,
): Step[] {
  return [{ do: how, role: roles.get(id ?? '') ?? '' }];
}

function tellsBySignal(childId: string | null | undefined, parent: RunHistory, histories: readonly RunHistory[]): boolean {
  const child = histories.find((run) => run.workflowId === childId);
  return child?.events.some((event) => signalSentTo(event) === parent.workflowId) ?? false;
}

function signalSentTo(event: HistoryEvent): string | null | undefined {
  return event.signalExternalWorkflowExecutionInitiatedEventAttributes?.workflowExecution?.workflowId;
}

/** The start of a run that no other started. The first comes by itself; another when the run that it tells something waits for that. */
function startOf(run: RunHistory, histories: readonly RunHistory[], roles: ReadonlyMap<string, string>): OutsideMessage {
  const started = run.events[0]?.workflowExecutionStartedEventAttributes;
  const attributes = attributesIn(started?.searchAttributes);
  const start = { kind: 'start', role: roleOf(roles, run), attributes } as const;
  if (run === histories[0]) return { ...start, after: null, commits: INBOX_COMMITS.deal };
  const told = run.events.map(signalSentTo);
  const target = histories.find((other) => told.includes(other.workflowId));
  if (target === undefined) throw new Error(`${run.type} was started from outside and tells nobody: when does it come?`);
  const comes = target.events.findIndex((event) => [...signalledBy(event)].some((id) => id === run.workflowId));
  return { ...start, after: { role: roleOf(roles, target), commits: commitsBefore(target, comes) }, commits: INBOX_COMMITS.facts };
}

function signalledBy(event: HistoryEvent): string[] {
  return event.workflowExecutionSignaledEventAttributes?.externalWorkflowExecution?.workflowId?.split('\n') ?? [];
}

/**
 * What the world sent to a run while it ran: each message when the run has committed what it had committed before it came, the first of a
 * run that has committed nothing when whoever started it had.
 */
function messagesTo(run: RunHistory, roles: ReadonlyMap<string, string>, histories: readonly RunHistory[]): OutsideMessage[] {
  const role = roleOf(roles, run);
  return run.events.flatMap((event, index): OutsideMessage[] => {
    const commits = commitsBefore(run, index);
    const after = (commits === 0 ? startedAfter(run, roles, histories) : null) ?? { role, commits };
    if (event.eventType === EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED) return [{ kind: 'update', role, after, commits: 0 }];
    const withStart = index === 1;
    const fromOutside = event.workflowExecutionSignaledEventAttributes && signalledBy(event).length === 0;
    return fromOutside && !withStart ? [{ kind: 'signal', role, after, commits: 0 }] : [];
  });
}

function startedAfter(run: RunHistory, roles: ReadonlyMap<string, string>, histories: readonly RunHistory[]): OutsideMessage['after'] {
  const parent = histories.find((other) => childrenOf(other).includes(run.workflowId));
  if (parent === undefined) return null;
  const started = parent.events.findIndex(
    ({ startChildWorkflowExecutionInitiatedEventAttributes: child }) => child?.workflowId === run.workflowId,
  );
  return { role: roleOf(roles, parent), commits: commitsBefore(parent, started) };
}

function commitsBefore(run: RunHistory, index: number): number {
  return run.events.slice(0, index).filter((event) => isLocalActivity(event) || event.activityTaskScheduledEventAttributes).length;
}

function isCommit(step: Step): boolean {
  return step.do === 'local' || step.do === 'remote';
}

function roleOf(roles: ReadonlyMap<string, string>, run: RunHistory): string {
  return roles.get(run.workflowId) ?? '';
}

function childrenOf(run: RunHistory): string[] {
  return run.events.flatMap(({ startChildWorkflowExecutionInitiatedEventAttributes: child }) => child?.workflowId ?? []);
}

interface Fields {
  readonly indexedFields?: Readonly<Record<string, unknown>> | null;
}

function attributesIn(attributes: Fields | null | undefined): Attributes {
  return Object.fromEntries(
    Object.entries(attributes?.indexedFields ?? {}).map(([name, payload]) => [
      name,
      valueOf(defaultPayloadConverter.fromPayload(payload as Payload)),
    ]),
  );
}

/** One value; the server keeps a value taken away as an empty list. */
function valueOf(value: unknown): string | null {
  const one: unknown = Array.isArray(value) ? value[0] : value;
  return typeof one === 'string' ? one : null;
}
