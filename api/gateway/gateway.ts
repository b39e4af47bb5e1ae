import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { type SignalDefinition } from '@temporalio/common';
import { type ClockState } from '../../contracts/workflow-state';
import { describeRun, linkToRun, type RunDescription, type Ui } from './runs';
import { inTime } from './silence';
import { type DealReport, type OpenedException, startBooks, startDeal, startException, startIntake } from './starts';
import { sendUpdate, type Update, type UpdateOutcome } from './updates';

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
  /** Starts the run of an exception, or tells the one that runs. */
  openException(opened: OpenedException, at: string, clock: ClockState): Promise<void>;
  describe(workflowId: string): Promise<RunDescription | null>;
  /** Address of a run in Temporal UI; null where no UI is configured. */
  linkTo(workflowId: string, runId?: string): string | null;
  /** Throws `TemporalSilent` where the server does not answer. */
  check(): Promise<void>;
  /** When no call is under way any more, not even one that nobody waits for: only then may the connection be closed. */
  settled(): Promise<void>;
}

export interface GatewayOptions extends Ui {
  readonly taskQueue: string;
  readonly timeoutMs: number;
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
    openException: (opened, at, clock) => bounded(() => startException(client, options.taskQueue, opened, at, clock)),
    describe: (workflowId) => bounded(() => describeRun(client, workflowId, options)),
    linkTo: (workflowId, runId) => linkToRun(options, workflowId, runId),
    check: async () => {
      await bounded(() => client.workflowService.getSystemInfo({}));
    },
    settled: async () => {
      await Promise.all(underWay);
    },
  };
}
