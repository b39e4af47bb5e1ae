import {
  type Client,
  isGrpcServiceError,
  ServiceError,
  WithStartWorkflowOperation,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import {
  ApplicationFailure,
  type SignalDefinition,
  type UpdateDefinition,
  WorkflowIdConflictPolicy,
  WorkflowIdReusePolicy,
} from '@temporalio/common';
import { type ClockState } from '../../contracts/workflow-state';
import { dealWorkflowId, intakeWorkflowId, periodWorkflowId } from '../../domain/ids';
import { isViolation, type Violation } from '../../domain/violation';
import { dealReportedSignal, type DealToCashInput } from '../../workflows/deal-to-cash/messages';
import { type InvoiceCorrectionInput } from '../../workflows/invoice-correction/messages';
import { enqueueSignal, type IntakeInput } from '../../workflows/intake/messages';
import { booksOpenedSignal, type PeriodCloseInput } from '../../workflows/period-close/messages';
import { identityAttributes, Stage } from '../../workflows/search-attributes';

/**
 * What became of an update. `no-run`: nobody could take it, because the run has ended or never began; the facts say which. `exhausted`: the
 * whole effort of its effect was used up, and the run keeps that failure under this id.
 */
export type UpdateOutcome<T> =
  | { readonly kind: 'done'; readonly result: T }
  | { readonly kind: 'refused'; readonly violation: Violation }
  | { readonly kind: 'no-run' }
  | { readonly kind: 'exhausted' };

export interface Update<Ret, Input> {
  readonly definition: UpdateDefinition<Ret, [Input]>;
  readonly workflowId: string;
  readonly input: Input;
  /** The same id within a run gives the first answer. */
  readonly updateId: string;
  /** What to start under this id where no run is open; without it such an update has no taker. */
  readonly start?: RunStart;
}

/** The disputes and the correction of an invoice begin with the first message about them. */
export interface RunStart {
  readonly correction: InvoiceCorrectionInput;
  readonly entityId: string;
}

export interface RunDescription {
  readonly workflowId: string;
  readonly runId: string;
  readonly type: string;
  readonly state: string;
  readonly stage: string | null;
  readonly startedAt: string;
  readonly endedAt: string | null;
  readonly historyLength: number;
  readonly link: string | null;
}

/**
 * The only place that talks to the Temporal client. Whatever leaves the outcome open (no answer in time, server down) is thrown as
 * `TemporalSilent`; everything else is a value.
 */
export interface Gateway {
  update<Ret, Input>(update: Update<Ret, Input>): Promise<UpdateOutcome<Ret>>;
  /** False where no run is open under this id. */
  signal<Input>(workflowId: string, definition: SignalDefinition<[Input]>, input: Input): Promise<boolean>;
  /** Starts the run of a deal, or tells the one that runs; one that has ended is left alone. */
  reportDeal(deal: DealReport, clock: ClockState): Promise<'told' | 'ended'>;
  /** Puts an event into its stream; starts the stream's run where none is open. */
  enqueueIntake(stream: string, event: { inboxEventId: string; at: string }, clock: ClockState): Promise<void>;
  /** Starts the books of an entity, or tells the run that keeps them. */
  openBooks(entityId: string, at: string, clock: ClockState): Promise<void>;
  describe(workflowId: string): Promise<RunDescription | null>;
  /** Address of a run in Temporal UI; null where no UI is configured. */
  linkTo(workflowId: string, runId?: string): string | null;
  /** Throws `TemporalSilent` where the server does not answer. */
  check(): Promise<void>;
  /** When no call is under way any more, not even one that nobody waits for: only then may the connection be closed. */
  settled(): Promise<void>;
}

export interface DealReport {
  readonly dealId: string;
  readonly entityId: string;
  readonly customerId: string | null;
  readonly eventId: string;
  readonly at: string;
}

export interface GatewayOptions {
  readonly taskQueue: string;
  readonly namespace: string;
  readonly uiUrl: string | undefined;
  readonly timeoutMs: number;
}

/** No answer in time, or none at all: the request may or may not have had its effect. */
export class TemporalSilent extends Error {
  override readonly name = 'TemporalSilent';
}

export function createGateway(client: Client, options: GatewayOptions): Gateway {
  const underWay = new Set<Promise<unknown>>();
  const bounded = <T>(call: () => Promise<T>): Promise<T> => {
    const made = client.withDeadline(Date.now() + options.timeoutMs, call);
    const kept = made.catch(() => undefined).finally(() => underWay.delete(kept));
    underWay.add(kept);
    return inTime(made, options.timeoutMs);
  };
  return {
    update: (update) => bounded(() => sendUpdate(client, options.taskQueue, update)),
    signal: (workflowId, definition, input) =>
      bounded(() => client.workflow.getHandle(workflowId).signal(definition, input)).then(
        () => true,
        (error: unknown) => {
          if (error instanceof WorkflowNotFoundError) return false;
          throw error;
        },
      ),
    reportDeal: (deal, clock) => bounded(() => startDeal(client, options.taskQueue, deal, clock)),
    enqueueIntake: (stream, event, clock) => bounded(() => startIntake(client, options.taskQueue, stream, event, clock)),
    openBooks: (entityId, at, clock) => bounded(() => startBooks(client, options.taskQueue, entityId, at, clock)),
    describe: (workflowId) => bounded(() => describe(client, workflowId, options)),
    linkTo: (workflowId, runId) => linkTo(options, workflowId, runId),
    check: async () => {
      await bounded(() => client.workflowService.getSystemInfo({}));
    },
    settled: async () => {
      await Promise.all(underWay);
    },
  };
}

function sendUpdate<Ret, Input>(client: Client, taskQueue: string, update: Update<Ret, Input>): Promise<UpdateOutcome<Ret>> {
  const { definition, workflowId, input, updateId, start } = update;
  const told =
    start === undefined
      ? client.workflow.getHandle(workflowId).executeUpdate(definition, { args: [input], updateId })
      : client.workflow.executeUpdateWithStart(definition, {
          args: [input],
          updateId,
          startWorkflowOperation: startCorrection(taskQueue, workflowId, start),
        });
  return told.then((result) => ({ kind: 'done' as const, result })).catch(outcomeOf);
}

function startCorrection(taskQueue: string, workflowId: string, { correction, entityId }: RunStart) {
  const { invoiceId, dealId } = correction;
  return new WithStartWorkflowOperation('invoiceCorrection', {
    workflowId,
    taskQueue,
    args: [correction],
    workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
    workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
    typedSearchAttributes: identityAttributes({ dealId, entityId }),
    staticSummary: 'Disputes and correction of an invoice',
    staticDetails: `Invoice \`${invoiceId}\``,
  });
}

async function startDeal(client: Client, taskQueue: string, deal: DealReport, clock: ClockState): Promise<'told' | 'ended'> {
  const { dealId, entityId, customerId, eventId, at } = deal;
  const input: DealToCashInput = { dealId, clock };
  try {
    await client.workflow.signalWithStart('dealToCash', {
      workflowId: dealWorkflowId(dealId),
      taskQueue,
      args: [input],
      signal: dealReportedSignal,
      signalArgs: [{ eventId, at }],
      workflowIdReusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
      typedSearchAttributes: identityAttributes({ dealId, entityId, customerId }),
      staticSummary: 'Deal to cash',
      staticDetails: `Deal \`${dealId}\` of entity \`${entityId}\``,
    });
    return 'told';
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return 'ended';
    throw error;
  }
}

async function startIntake(
  client: Client,
  taskQueue: string,
  stream: string,
  event: { inboxEventId: string; at: string },
  clock: ClockState,
): Promise<void> {
  const input: IntakeInput = { stream, clock };
  await client.workflow.signalWithStart('intake', {
    workflowId: intakeWorkflowId(stream),
    taskQueue,
    args: [input],
    signal: enqueueSignal,
    signalArgs: [event],
    workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
    staticSummary: 'Intake',
    staticDetails: `Stream \`${stream}\`, one event after the other`,
  });
}

async function startBooks(client: Client, taskQueue: string, entityId: string, at: string, clock: ClockState): Promise<void> {
  const input: PeriodCloseInput = { entityId, clock };
  await client.workflow.signalWithStart('periodClose', {
    workflowId: periodWorkflowId(entityId),
    taskQueue,
    args: [input],
    signal: booksOpenedSignal,
    signalArgs: [{ at }],
    workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
    typedSearchAttributes: identityAttributes({ entityId }),
    staticSummary: 'Books',
    staticDetails: `Months of entity \`${entityId}\`, one after the other`,
  });
}

async function describe(client: Client, workflowId: string, options: GatewayOptions): Promise<RunDescription | null> {
  try {
    const run = await client.workflow.getHandle(workflowId).describe();
    return {
      workflowId,
      runId: run.runId,
      type: run.type,
      state: run.status.name.toLowerCase().replaceAll('_', '-'),
      stage: run.typedSearchAttributes.get(Stage) ?? null,
      startedAt: run.startTime.toISOString(),
      endedAt: run.closeTime?.toISOString() ?? null,
      historyLength: run.historyLength,
      link: linkTo(options, workflowId, run.runId),
    };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  }
}

function linkTo({ uiUrl, namespace }: GatewayOptions, workflowId: string, runId?: string): string | null {
  if (uiUrl === undefined) return null;
  const run = runId === undefined ? '' : `/${runId}/history`;
  return `${uiUrl}/namespaces/${encodeURIComponent(namespace)}/workflows/${encodeURIComponent(workflowId)}${run}`;
}

/** A run that ends with the update still in it answers with this failure; whether the update counted, the facts say. */
const ENDED_WITH_UPDATE = 'AcceptedUpdateCompletedWorkflow';

function outcomeOf(error: unknown): Exclude<UpdateOutcome<never>, { kind: 'done' }> {
  if (error instanceof WorkflowNotFoundError) return { kind: 'no-run' };
  if (!(error instanceof WorkflowUpdateFailedError)) throw error;
  const failure = innermost(error);
  if (failure?.type === ENDED_WITH_UPDATE) return { kind: 'no-run' };
  const told: unknown = failure?.details?.[0];
  return isViolation(told) ? { kind: 'refused', violation: told } : { kind: 'exhausted' };
}

/** The failure that says why: an activity's failure wraps it, and a validator's leaves it bare. */
function innermost(error: Error): ApplicationFailure | null {
  const { cause } = error;
  if (!(cause instanceof Error)) return null;
  return cause instanceof ApplicationFailure ? cause : innermost(cause);
}

/** The client has a deadline of its own, but goes on trying to connect after it: a timer behind it bounds the wait. */
async function inTime<T>(made: Promise<T>, milliseconds: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new TemporalSilent('no answer in time')), milliseconds + 100);
  });
  try {
    return await Promise.race([made, silence]);
  } catch (error) {
    throw isSilence(error) ? new TemporalSilent('no answer', { cause: error }) : error;
  } finally {
    clearTimeout(timer);
  }
}

/** What a server says that has understood the request: invalid, already exists, denied, precondition, out of range, unimplemented. */
const UNDERSTOOD = new Set([3, 6, 7, 9, 11, 12]);

function isSilence(error: unknown): boolean {
  if (error instanceof TemporalSilent || error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) return true;
  const cause = error instanceof ServiceError ? error.cause : error;
  if (isGrpcServiceError(cause)) return !UNDERSTOOD.has(cause.code);
  return error instanceof ServiceError;
}
