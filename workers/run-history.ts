import { gunzipSync, gzipSync } from 'node:zlib';
import { type Client } from '@temporalio/client';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils';
import { temporal } from '@temporalio/proto';

/** Groups of events of one answer. A group is what one task wrote, so a busy moment makes a big one. */
const PAGE = 64;
const MESSAGE_TOO_BIG = 8;

/**
 * The whole history of a run. The SDK's own fetch takes pages so big that a long run breaks the limit of a message; where even these are
 * too big, the page is halved until it fits.
 */
export async function historyOf(client: Client, workflowId: string, runId: string): Promise<temporal.api.history.v1.History> {
  const request = { namespace: client.options.namespace, execution: { workflowId, runId } };
  const events: temporal.api.history.v1.IHistoryEvent[] = [];
  let maximumPageSize = PAGE;
  let nextPageToken: Uint8Array = Buffer.alloc(0);
  for (;;) {
    try {
      const page = await client.workflowService.getWorkflowExecutionHistory({ ...request, maximumPageSize, nextPageToken });
      events.push(...(page.history?.events ?? []));
      nextPageToken = page.nextPageToken;
      if (nextPageToken.length === 0) return temporal.api.history.v1.History.create({ events });
    } catch (error) {
      if (maximumPageSize === 1 || (error as { code?: unknown }).code !== MESSAGE_TOO_BIG) throw error;
      maximumPageSize = Math.floor(maximumPageSize / 2);
    }
  }
}

/** How a history is kept: as Temporal serialises it, gzipped. */
export function keptHistory(history: temporal.api.history.v1.History): { readonly format: string; readonly history: Buffer } {
  return { format: 'protobuf', history: gzipSync(temporal.api.history.v1.History.encode(history).finish()) };
}

/** A history that was kept; those of runs that were exported before migration 0025 are gzipped JSON. */
export function storedHistory(stored: { readonly format: string; readonly history: Buffer }): temporal.api.history.v1.History {
  const content = gunzipSync(stored.history);
  const { History } = temporal.api.history.v1;
  return stored.format === 'json' ? History.create(historyFromJSON(JSON.parse(content.toString('utf8')))) : History.decode(content);
}
