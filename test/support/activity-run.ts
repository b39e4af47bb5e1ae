import { asyncLocalStorage, type Context } from '@temporalio/activity';

/** Calls an activity as the SDK does, on behalf of a run. */
export function inRun<T>(workflowId: string, call: () => Promise<T>): Promise<T> {
  const context = { info: { attempt: 1, isLocal: true, workflowExecution: { workflowId, runId: 'run' } } } as unknown as Context;
  return asyncLocalStorage.run(context, call);
}
