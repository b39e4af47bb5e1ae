import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { Stage } from '../../workflows/search-attributes';

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

/** Where runs are shown to people. */
export interface Ui {
  readonly namespace: string;
  readonly uiUrl: string | undefined;
}

export async function describeRun(client: Client, workflowId: string, ui: Ui): Promise<RunDescription | null> {
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
      link: linkToRun(ui, workflowId, run.runId),
    };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  }
}

export function linkToRun({ uiUrl, namespace }: Ui, workflowId: string, runId?: string): string | null {
  if (uiUrl === undefined) return null;
  const run = runId === undefined ? '' : `/${runId}/history`;
  return `${uiUrl}/namespaces/${encodeURIComponent(namespace)}/workflows/${encodeURIComponent(workflowId)}${run}`;
}
