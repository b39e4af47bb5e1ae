import { type Client } from '@temporalio/client';
import { temporal } from '@temporalio/proto';

/** Events of one answer: few enough that they fit into a message even where each carries a big payload. */
const PAGE = 64;

/** The whole history of a run. The SDK's own fetch takes pages so big that a long run breaks the limit of a message. */
export async function historyOf(client: Client, workflowId: string, runId: string): Promise<temporal.api.history.v1.History> {
  const request = { namespace: client.options.namespace, execution: { workflowId, runId }, maximumPageSize: PAGE };
  const events: temporal.api.history.v1.IHistoryEvent[] = [];
  let nextPageToken: Uint8Array = Buffer.alloc(0);
  do {
    const page = await client.workflowService.getWorkflowExecutionHistory({ ...request, nextPageToken });
    events.push(...(page.history?.events ?? []));
    nextPageToken = page.nextPageToken;
  } while (nextPageToken.length > 0);
  return temporal.api.history.v1.History.create({ events });
}
