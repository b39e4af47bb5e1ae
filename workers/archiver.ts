import { setTimeout as delay } from 'node:timers/promises';
import { type Client } from '@temporalio/client';
import { type Kysely, sql } from 'kysely';
import { type DB } from '../db/types';
import { type Logger } from '../runtime/logger';
import { historyOf, keptHistory } from './run-history';

export interface Archiver {
  /** Exports what has closed since the last turn; for a play-through that wants to be complete at its end. */
  exportClosed(): Promise<number>;
  stop(): Promise<void>;
}

/** Exports the history of every run that has closed, as evidence and replay corpus beyond the server's retention (D11). */
export function startArchiver(deps: { db: Kysely<DB>; client: Client; log: Logger; everyMs?: number }): Archiver {
  const stopping = new AbortController();
  const turn = async (): Promise<number> => exportClosed(deps.db, deps.client);
  const ended = (async () => {
    while (!stopping.signal.aborted) {
      await delay(deps.everyMs ?? 15_000, undefined, { signal: stopping.signal }).catch(() => undefined);
      if (stopping.signal.aborted) return;
      await turn().catch((error: unknown) => deps.log.warn({ err: error }, 'histories could not be exported, tried again later'));
    }
  })();
  return {
    exportClosed: turn,
    stop: async () => {
      stopping.abort();
      await ended;
    },
  };
}

async function exportClosed(db: Kysely<DB>, client: Client): Promise<number> {
  const last = await db
    .selectFrom('run_history')
    .select((eb) => eb.fn.max('closed_at').as('closedAt'))
    .executeTakeFirstOrThrow();
  const sinceMs = last.closedAt === null ? 0 : Date.parse(last.closedAt) - OVERLAP_MS;
  const since = sinceMs === 0 ? '' : ` AND CloseTime >= "${new Date(sinceMs).toISOString()}"`;
  const closed = await oldestFirst(client, `ExecutionStatus != "Running"${since}`);
  const runIds = closed.map(({ runId }) => runId);
  const known = await db
    .selectFrom('run_history')
    .select('run_id')
    .where('run_id', '=', sql<string>`any(${runIds}::text[])`)
    .where('closed_at', '>=', new Date(sinceMs).toISOString())
    .execute();
  const exportedBefore = new Set(known.map((row) => row.run_id));
  let exported = 0;
  for (const run of closed.filter(({ runId }) => !exportedBefore.has(runId))) {
    const history = await historyOf(client, run.workflowId, run.runId);
    await db
      .insertInto('run_history')
      .values({
        workflow_id: run.workflowId,
        run_id: run.runId,
        workflow_type: run.type,
        status: run.status.name,
        started_at: run.startTime.toISOString(),
        closed_at: run.closeTime.toISOString(),
        events: history.events.length,
        ...keptHistory(history),
      })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
    exported += 1;
  }
  return exported;
}

/** In the order in which they closed: what comes after an interruption is then later than everything that was exported. */
async function oldestFirst(client: Client, query: string) {
  const closed = [];
  for await (const { workflowId, runId, type, status, startTime, closeTime } of client.workflow.list({ query }))
    if (closeTime) closed.push({ workflowId, runId, type, status, startTime, closeTime });
  return closed.sort((a, b) => a.closeTime.getTime() - b.closeTime.getTime());
}

/** Visibility may show a close a little late: what closed shortly before the last known close is looked at again. */
const OVERLAP_MS = 10 * 60_000;
