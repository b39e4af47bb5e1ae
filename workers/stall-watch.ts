import { setTimeout as delay } from 'node:timers/promises';
import { type Client } from '@temporalio/client';
import { type Kysely } from 'kysely';
import { uuidv7 } from 'uuidv7';
import { type DB } from '../db/types';
import { type Logger } from '../runtime/logger';

export interface StallWatch {
  stop(): Promise<void>;
}

const KIND = 'stalled-run';

/**
 * A run whose code fails cannot show it itself: the server marks it (`TemporalReportedProblems`), and here the mark becomes a task of
 * the operators, and is closed when the run goes on (D6).
 */
export function startStallWatch(deps: { db: Kysely<DB>; client: Client; log: Logger; everyMs?: number }): StallWatch {
  const stopping = new AbortController();
  const ended = (async () => {
    while (!stopping.signal.aborted) {
      await look(deps.db, deps.client, deps.log).catch((error: unknown) =>
        deps.log.warn({ err: error }, 'stalled runs could not be looked for, tried again later'),
      );
      await delay(deps.everyMs ?? 10_000, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  })();
  return {
    stop: async () => {
      stopping.abort();
      await ended;
    },
  };
}

async function look(db: Kysely<DB>, client: Client, log: Logger): Promise<void> {
  const stalled = new Set<string>();
  for await (const run of client.workflow.list({ query: 'TemporalReportedProblems IS NOT NULL AND ExecutionStatus = "Running"' }))
    stalled.add(run.workflowId);
  const known = await db
    .selectFrom('process_exception')
    .select('workflow_id')
    .where('kind', '=', KIND)
    .where('closed_at', 'is', null)
    .execute();
  const reported = new Set(known.map((row) => row.workflow_id));
  const now = new Date().toISOString();
  for (const workflowId of stalled) {
    if (reported.has(workflowId)) continue;
    log.error({ workflowId }, 'run is stalled by a failure of its code and waits for a fix');
    await db
      .insertInto('process_exception')
      .values({
        id: uuidv7(),
        workflow_id: workflowId,
        kind: KIND,
        detail: 'workflow tasks of this run fail; deploy a fix, the run goes on by itself',
        owner_role: 'operator',
        opened_at: now,
      })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  }
  const recovered = [...reported].filter((workflowId) => !stalled.has(workflowId));
  if (recovered.length > 0)
    await db
      .updateTable('process_exception')
      .set({ closed_at: now })
      .where('kind', '=', KIND)
      .where('closed_at', 'is', null)
      .where('workflow_id', 'in', recovered)
      .execute();
}
