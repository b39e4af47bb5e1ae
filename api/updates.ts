import { type UpdateDefinition } from '@temporalio/common';
import { type FastifyRequest } from 'fastify';
import { type Said, type ShownKind } from '../contracts/workflow-state';
import { type RouteDeps } from './deps';
import { ApiError, refused } from './errors';
import { TemporalSilent } from './gateway/silence';
import { type RunStart } from './gateway/starts';
import { preconditionOn } from './preconditions';

/** An update to a run; `id` is what the request creates or changes, for the eye. */
export interface Message<Ret, Input> {
  readonly definition: UpdateDefinition<Ret, [Input]>;
  readonly workflowId: string;
  readonly id: string;
  readonly input: Input;
  /** What the message begins where no run is open. */
  readonly start?: RunStart;
}

/** What becomes of the outcome. `noRun` answers from the facts where no run took the update. */
export interface Answers<Ret, R> {
  readonly done: (result: Ret) => R | Promise<R>;
  readonly noRun: () => R | Promise<R>;
  readonly pointerOf?: (path: string) => string;
}

/**
 * Sends an update and answers with its result, or with the refusal of a rule. A run gives the same update id the same answer for as long as
 * it lives, refusals too: so the id names this evaluation of the request (`idempotency.ts`), which its repetitions join while the outcome is
 * open, and a new key, or a refusal that has passed, begins another one. What it changes is keyed by the request itself (D5, R-097).
 */
export async function askRun<Ret, Input, R>(
  { gateway }: RouteDeps,
  { evaluation }: Pick<FastifyRequest, 'evaluation'>,
  { definition, workflowId, id, input, start }: Message<Ret, Input>,
  { done, noRun, pointerOf }: Answers<Ret, R>,
): Promise<R> {
  const update = { definition, workflowId, input, updateId: `${id}/${evaluation}`, ...(start ? { start } : {}) };
  const outcome = await orUnknown(gateway.update(update));
  if (outcome.kind === 'refused') throw pointerOf ? refused(outcome.violation, pointerOf) : refused(outcome.violation);
  if (outcome.kind === 'exhausted') throw new ApiError('OutcomeUnknown', 'the effect failed again and again');
  return outcome.kind === 'done' ? done(outcome.result) : noRun();
}

/**
 * The answer of a request that is on record, after its run was told of it once more: the record may be all that is left where the run's task
 * was lost, and only a run that knows of a request has it decided. What the run refuses by now changes nothing about the answer; where
 * it does not answer, the next repetition tells it.
 */
export async function alsoTold<R>(asked: Promise<R>, recorded: R): Promise<R> {
  try {
    return await asked;
  } catch (error) {
    if (!(error instanceof ApiError) || error.code === 'OutcomeUnknown') throw error;
    return recorded;
  }
}

/** Who says it, when, and on which version of what: part of every message. */
export async function saidBy(deps: RouteDeps, request: FastifyRequest, kind: ShownKind, id: string): Promise<Said> {
  const ifMatch = preconditionOn(request, kind, id);
  return { by: request.principal.id, at: await deps.clock.now(), ...(ifMatch === undefined ? {} : { ifMatch }) };
}

/** What changes something at Temporal: silence means that it may have happened. */
export function orUnknown<T>(sent: Promise<T>): Promise<T> {
  return sent.catch((error: unknown) => {
    throw error instanceof TemporalSilent ? new ApiError('OutcomeUnknown', 'no answer in time', { cause: error, underWay: true }) : error;
  });
}

/** What only reads from Temporal. */
export function orUnavailable<T>(asked: Promise<T>): Promise<T> {
  return asked.catch((error: unknown) => {
    throw error instanceof TemporalSilent ? new ApiError('TemporalUnavailable', 'no answer in time', { cause: error }) : error;
  });
}
