import { type Client, WorkflowNotFoundError, WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure, type UpdateDefinition } from '@temporalio/common';
import { isViolation, type Violation } from '../../domain/violation';
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

/** A run that ends at this very moment takes nothing more; where the message may begin one, sent once more it begins the next. */
export async function sendUpdate<Ret, Input>(client: Client, taskQueue: string, update: Update<Ret, Input>): Promise<UpdateOutcome<Ret>> {
  const outcome = await sendOnce(client, taskQueue, update);
  return outcome.kind === 'no-run' && update.start !== undefined ? sendOnce(client, taskQueue, update) : outcome;
}

function sendOnce<Ret, Input>(client: Client, taskQueue: string, update: Update<Ret, Input>): Promise<UpdateOutcome<Ret>> {
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
