import { type Client } from '@temporalio/client';
import { type Kysely } from 'kysely';
import { intakeWorkflowId, dealWorkflowId } from '../domain/ids';
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
  const checked = new Map<string, number>();
  return async () => {
    const deadline = Date.now() + options.timeoutMs;
    let before = await look(options);
    for (;;) {
      await new Promise((resolve) => setTimeout(resolve, options.gapMs));
      const now = await look(options);
      if (now.unrest.length === 0 && before.unrest.length === 0 && now.print === before.print) {
        const signalling = await signalsUnderWay(options.client, now.runs, checked);
        if (signalling.length === 0) return { runs: now.runs };
      }
      if (Date.now() > deadline) throw new NotQuiet(now.unrest.length > 0 ? now.unrest : ['histories keep growing']);
      before = now;
    }
  };
}

interface Look {
  readonly runs: readonly RunState[];
  readonly unrest: readonly string[];
  readonly print: string;
}

async function look({ client, db }: QuietOptions): Promise<Look> {
  const [listed, known, inbox] = await Promise.all([listedRuns(client), knownRuns(db), inboxUnrest(db)]);
  const runs = new Map<string, RunState | null>();
  let ids = [...new Set([...listed, ...known])];
  while (ids.length > 0) {
    const found = await Promise.all(ids.map((id) => describeRun(client, id)));
    ids.forEach((id, index) => runs.set(id, found[index] ?? null));
    ids = [...new Set(found.flatMap((run) => (run?.open ? run.startedChildren : [])))].filter((id) => !runs.has(id));
  }
  const open = [...runs.values()].filter((run): run is RunState => run?.open === true);
  const broken = open.flatMap((run) => run.problems.map((problem) => `${run.workflowId} (${run.type}): ${problem}`));
  if (broken.length > 0) throw new NotQuiet(broken);
  const busy = open.flatMap((run) => [
    ...(run.busy === null ? [] : [`${run.workflowId} (${run.type}): ${run.busy}`]),
    ...run.startedChildren.filter((child) => runs.get(child)?.open === false).map((child) => `${run.workflowId}: end of ${child} not told`),
  ]);
  open.sort((a, b) => (a.workflowId < b.workflowId ? -1 : 1));
  const print = open.map((run) => `${run.workflowId} ${run.runId} ${run.historyLength}`).join('\n');
  return { runs: open, unrest: [...inbox, ...busy], print };
}

/** Runs that Postgres knows of: a run that has just started may not be listed yet. */
async function knownRuns(db: Kysely<DB>): Promise<string[]> {
  const waits = await db.selectFrom('open_wait').select('workflow_id').distinct().where('closed_at', 'is', null).execute();
  const deals = await db.selectFrom('deal').select('id').where('finished_at', 'is', null).execute();
  return [
    ...waits.map((row) => row.workflow_id),
    ...['bank', 'master-data'].map(intakeWorkflowId),
    ...deals.flatMap(({ id }) => [dealWorkflowId(id), intakeWorkflowId(`time/${id}`), intakeWorkflowId(`deal/${id}`)]),
  ];
}

async function inboxUnrest(db: Kysely<DB>): Promise<string[]> {
  const rows = await db.selectFrom('inbox_event').select(['id', 'type', 'attempts', 'errors']).where('state', '=', 'received').execute();
  return rows.map(
    (row) => `inbox event ${row.id} (${row.type}) is still to be handed on, attempt ${row.attempts}: ${JSON.stringify(row.errors)}`,
  );
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
