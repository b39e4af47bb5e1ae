import { type Client, isGrpcServiceError, ServiceError, WorkflowNotFoundError, WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure, type UpdateDefinition } from '@temporalio/common';
import { isViolation, type Violation } from '../../domain/violation';
import { TemporalSilent } from './silence';
import { startWithMessage, type RunStart } from './starts';

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

/**
 * A run that ends at this very moment takes nothing more; where the message may begin one, sent once more it begins the next. One whose task
 * failed because something else was told it meanwhile does that task again: sent once more, the update joins it, or finds that the run has ended.
 */
export async function sendUpdate<Ret, Input>(client: Client, taskQueue: string, update: Update<Ret, Input>): Promise<UpdateOutcome<Ret>> {
  const outcome = await sendOnce(client, taskQueue, update);
  const again = outcome.kind === 'interrupted' || (outcome.kind === 'no-run' && update.start !== undefined);
  const last = again ? await sendOnce(client, taskQueue, update) : outcome;
  if (last.kind === 'interrupted') throw new TemporalSilent('the task of the run failed twice');
  return last;
}

type SentOutcome<T> = UpdateOutcome<T> | { readonly kind: 'interrupted' };

function sendOnce<Ret, Input>(client: Client, taskQueue: string, update: Update<Ret, Input>): Promise<SentOutcome<Ret>> {
  const { definition, workflowId, input, updateId, start } = update;
  const told =
    start === undefined
      ? client.workflow.getHandle(workflowId).executeUpdate(definition, { args: [input], updateId })
      : client.workflow.executeUpdateWithStart(definition, {
          args: [input],
          updateId,
          startWorkflowOperation: startWithMessage(taskQueue, workflowId, start),
        });
  return told.then((result) => ({ kind: 'done' as const, result })).catch(outcomeOf);
}

/** A run that ends with the update still in it answers with this failure; whether the update counted, the facts say. */
const ENDED_WITH_UPDATE = 'AcceptedUpdateCompletedWorkflow';

function outcomeOf(error: unknown): Exclude<SentOutcome<never>, { kind: 'done' }> {
  if (isInterrupted(error)) return { kind: 'interrupted' };
  if (error instanceof WorkflowNotFoundError) return { kind: 'no-run' };
  if (!(error instanceof WorkflowUpdateFailedError)) throw error;
  const failure = innermost(error);
  if (failure?.type === ENDED_WITH_UPDATE) return { kind: 'no-run' };
  const told: unknown = failure?.details?.[0];
  return isViolation(told) ? { kind: 'refused', violation: told } : { kind: 'exhausted' };
}

const FAILED_PRECONDITION = 9;

/** The server gives up an update with the workflow task that it was in. */
function isInterrupted(error: unknown): boolean {
  return error instanceof ServiceError && isGrpcServiceError(error.cause) && Number(error.cause.code) === FAILED_PRECONDITION;
}

/** The failure that says why: an activity's failure wraps it, and a validator's leaves it bare. */
function innermost(error: Error): ApplicationFailure | null {
  const { cause } = error;
  if (!(cause instanceof Error)) return null;
  return cause instanceof ApplicationFailure ? cause : innermost(cause);
}
