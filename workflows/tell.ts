import { getExternalWorkflowHandle, type SignalDefinition } from '@temporalio/workflow';
import { retrySignal } from './activity-proxies';

/** Tells another run; false where it has ended or never was, which the teller must be able to live with. Anything else is loud. */
export async function tell<T extends { at: string }>(workflowId: string, signal: SignalDefinition<[T]>, message: T): Promise<boolean> {
  return arrives(() => getExternalWorkflowHandle(workflowId).signal(signal, message));
}

/** Lets a stuck run try its step again; one that has ended meanwhile needs it no more. */
export async function tellToRetry(workflowId: string): Promise<void> {
  await arrives(() => getExternalWorkflowHandle(workflowId).signal(retrySignal));
}

/** Asks a run to end; one that has ended meanwhile needs it no more. */
export async function cancelRun(workflowId: string): Promise<void> {
  await arrives(() => getExternalWorkflowHandle(workflowId).cancel());
}

async function arrives(send: () => Promise<void>): Promise<boolean> {
  try {
    await send();
    return true;
  } catch (error) {
    if (!isGone(error)) throw error;
    return false;
  }
}

/** A signal to a run that has ended fails with this application failure. */
function isGone(error: unknown): boolean {
  return error instanceof Error && /not found|EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND/i.test(error.message);
}
