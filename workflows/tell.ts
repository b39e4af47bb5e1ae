import { getExternalWorkflowHandle, type SignalDefinition } from '@temporalio/workflow';

/** Tells another run; false where it has ended or never was, which the teller must be able to live with. Anything else is loud. */
export async function tell<T extends { at: string }>(workflowId: string, signal: SignalDefinition<[T]>, message: T): Promise<boolean> {
  try {
    await getExternalWorkflowHandle(workflowId).signal(signal, message);
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
