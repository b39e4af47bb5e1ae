import { type Client } from '@temporalio/client';
import { type Kysely } from 'kysely';
import { dealWorkflowId, intakeWorkflowId } from '../domain/ids';
import { type DB } from '../db/types';
import { describeRun, hasSignalUnderWay, listedRuns, type RunState } from './runs';

/** What stands still: every open run, and nothing waiting in the inbox. */
export interface QuietPoint {
  readonly runs: readonly RunState[];
}

export interface QuietOptions {
  readonly client: Client;
  readonly db: Kysely<DB>;
  /** How long two equal looks lie apart. */
  readonly gapMs: number;
  readonly timeoutMs: number;
}

/** Nothing came to rest in time, or a run cannot go on by itself; `what` names each run and what holds it. */
export class NotQuiet extends Error {
  override readonly name = 'NotQuiet';
  constructor(readonly what: readonly string[]) {
    super(['The runs do not come to rest:', ...what.map((line) => `  ${line}`)].join('\n'));
  }
}

/**
 * Waits until nothing moves any more (D2): no inbox event is still to be handed on; no open run has a workflow task, an activity, a
 * child that is not started or whose end is not told, or a signal under way; and two looks in a row show the same histories.
 * Throws `NotQuiet` at once for a run with reported problems, or after the timeout.
 */
export function quietWatch(options: QuietOptions): () => Promise<QuietPoint> {
  const { client, db, gapMs, timeoutMs } = options;
  const checked = new Map<string, number>();
  let seenUntil = '-infinity';
  return async () => {
    const deadline = Date.now() + timeoutMs;
    const since = seenUntil;
    let before: Look | null = null;
    for (;;) {
      const now: Look = await look(client, db, since, before !== null);
      if (now.unrest.length === 0 && before?.print === now.print) {
        const signalling = await signalsUnderWay(client, now.runs, checked);
        if (signalling.length === 0) {
          seenUntil = now.inboxUntil;
          return { runs: now.runs };
        }
      }
      if (Date.now() > deadline) throw new NotQuiet(now.unrest.length > 0 ? now.unrest : ['histories keep growing']);
      before = now.unrest.length === 0 ? now : null;
      if (now.busyRuns.length > 0) await untilCalm(client, now.busyRuns, deadline);
      else await pause(gapMs);
    }
  };
}

interface Look {
  readonly runs: readonly RunState[];
  readonly unrest: readonly string[];
  readonly busyRuns: readonly string[];
  readonly print: string;
  /** When the last event of the inbox arrived, by the database's clock. */
  readonly inboxUntil: string;
}

/**
 * The runs that Postgres knows to be open, and their children. The second of two equal looks also takes what the server lists, so that a
 * run nobody recorded is not missed; listing is dear and may lag behind, so it is not done more often, and never the only source.
 */
async function look(client: Client, db: Kysely<DB>, since: string, confirming: boolean): Promise<Look> {
  const listing = confirming ? listedRuns(client) : Promise.resolve([]);
  const [waiting, inbox, listed] = await Promise.all([waitingRuns(db), inboxSince(db, since), listing]);
  const runs = new Map<string, RunState | null>();
  let ids = [...new Set([...waiting, ...inbox.runs, ...listed])];
  while (ids.length > 0) {
    const found = await Promise.all(ids.map((id) => describeRun(client, id)));
    ids.forEach((id, index) => runs.set(id, found[index] ?? null));
    ids = [...new Set(found.flatMap((run) => (run?.open ? run.startedChildren : [])))].filter((id) => !runs.has(id));
  }
  const open = [...runs.values()].filter((run): run is RunState => run?.open === true);
  const broken = open.flatMap((run) => run.problems.map((problem) => `${run.workflowId} (${run.type}): ${problem}`));
  if (broken.length > 0) throw new NotQuiet(broken);
  const busy = open.filter((run) => run.busy !== null);
  const untold = open.flatMap((run) =>
    run.startedChildren.filter((child) => runs.get(child)?.open === false).map((child) => `${run.workflowId}: end of ${child} not told`),
  );
  open.sort((a, b) => (a.workflowId < b.workflowId ? -1 : 1));
  return {
    runs: open,
    unrest: [...inbox.unrest, ...busy.map((run) => `${run.workflowId} (${run.type}): ${run.busy ?? ''}`), ...untold],
    busyRuns: busy.map((run) => run.workflowId),
    print: open.map((run) => `${run.workflowId} ${run.runId} ${run.historyLength}`).join('\n'),
    inboxUntil: inbox.until,
  };
}

/** Looks at one busy run after the other until each is calm: cheaper than looking at all of them again and again. */
async function untilCalm(client: Client, busyRuns: readonly string[], deadline: number): Promise<void> {
  for (const workflowId of busyRuns) {
    for (let run = await describeRun(client, workflowId); run?.open && run.busy !== null; run = await describeRun(client, workflowId)) {
      if (run.problems.length > 0 || Date.now() > deadline) return;
      await pause(POLL_MS);
    }
  }
}

const POLL_MS = 8;

/** Runs that Postgres knows to wait: one that has just started may not be listed yet. */
async function waitingRuns(db: Kysely<DB>): Promise<string[]> {
  const waits = await db.selectFrom('open_wait').select('workflow_id').distinct().where('closed_at', 'is', null).execute();
  const deals = await db.selectFrom('deal').select('id').where('finished_at', 'is', null).execute();
  return [...waits.map((row) => row.workflow_id), ...deals.map(({ id }) => dealWorkflowId(id))];
}

/** What of the inbox is still to be handed on, and the runs to which the events that came since went. */
async function inboxSince(db: Kysely<DB>, since: string): Promise<{ unrest: string[]; runs: string[]; until: string }> {
  const rows = await db
    .selectFrom('inbox_event')
    .select(['id', 'type', 'subject', 'state', 'attempts', 'errors', 'received_at'])
    .where((eb) => eb.or([eb('state', '=', 'received'), eb('received_at', '>', since)]))
    .orderBy('received_at')
    .execute();
  const waiting = rows.filter((row) => row.state === 'received');
  return {
    unrest: waiting.map(
      (row) => `inbox event ${row.id} (${row.type}) is not handed on, attempt ${row.attempts}: ${JSON.stringify(row.errors)}`,
    ),
    runs: [...new Set(rows.map((row) => intakeWorkflowId(row.subject)))],
    until: rows.at(-1)?.received_at ?? since,
  };
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Looks only into histories that have grown since the last quiet point. */
async function signalsUnderWay(client: Client, runs: readonly RunState[], checked: Map<string, number>): Promise<string[]> {
  const grown = runs.filter((run) => checked.get(run.runId) !== run.historyLength);
  const under = await Promise.all(grown.map((run) => hasSignalUnderWay(client, run)));
  grown.forEach((run, index) => {
    if (under[index] === false) checked.set(run.runId, run.historyLength);
  });
  return grown.filter((_, index) => under[index]).map((run) => `${run.workflowId} (${run.type}): a signal is under way`);
}
