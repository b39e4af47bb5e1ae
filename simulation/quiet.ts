import { type Client } from '@temporalio/client';
import { sql, type Kysely } from 'kysely';
import { ENGINE_SOURCE } from '../db/books/running';
import { type DB } from '../db/types';
import { dealWorkflowId, intakeWorkflowId } from '../domain/ids';
import { describeRun, listedRuns, type RunState, sentSignals } from './runs';

/** What stands still: every open run, and nothing waiting in the inbox. */
export interface QuietPoint {
  readonly runs: readonly RunState[];
}

export interface QuietOptions {
  readonly client: Client;
  readonly db: Kysely<DB>;
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
 * Waits until nothing moves any more (D2): no inbox event is still to be handed on; no open run has a workflow task, an activity, a child
 * that is not started or whose end is not told, or a signal under way; and a look at all open runs shows the histories that were seen
 * before. Seen before are the last quiet point, and the runs that moved since: these are followed one by one, along signals, children and
 * parents, until they are calm. So at the beginning of that look all stood still. `stirred` are runs that were told the time where all stood
 * still: what moves then moves because of them, so that it is followed and the look at all others is left out.
 * Throws `NotQuiet` at once for a run with reported problems, or after the timeout.
 */
export function quietWatch(options: QuietOptions): (stirred: readonly string[]) => Promise<QuietPoint> {
  const { client, db, timeoutMs } = options;
  const seen: Seen = { runs: new Map(), tails: new Map(), ended: new Set() };
  let known: Marks | null = null;
  return async (stirred) => {
    const deadline = Date.now() + timeoutMs;
    const marks = known ?? (await recentMarks(db));
    if (stirred.length > 0) await pause(WAKING_MS);
    const active = await activeSince(db, marks);
    await follow(client, seen, [...stirred, ...active.runs], deadline);
    if (stirred.length > 0) {
      const calmed = await followEffects(options, seen, active.marks, deadline);
      if (calmed !== null) {
        known = calmed;
        return { runs: inOrder(seen.runs.values()) };
      }
    }
    for (;;) {
      const [now, since] = await Promise.all([look(client, db, marks), activeSince(db, marks)]);
      const moved = movedSince(seen, now.runs);
      if (now.unrest.length === 0 && moved.length === 0) {
        known = since.marks;
        return { runs: now.runs };
      }
      if (Date.now() > deadline) throw new NotQuiet(now.unrest.length > 0 ? now.unrest : moved.map((id) => `${id} keeps moving`));
      if (moved.length === 0) await pause(PAUSE_MS);
      await follow(client, seen, moved, deadline);
    }
  };
}

const MOST_GENERATIONS_OF_EFFECTS = 5;

/** Follows the runs that had effects meanwhile until there are none; null where that has no end, or a run is not told yet of a child's. */
async function followEffects({ client, db }: QuietOptions, seen: Seen, from: Marks, deadline: number): Promise<Marks | null> {
  let { runs, marks } = await activeSince(db, from);
  for (let generation = 0; runs.length > 0; generation += 1) {
    if (generation === MOST_GENERATIONS_OF_EFFECTS) return null;
    await follow(client, seen, runs, deadline);
    ({ runs, marks } = await activeSince(db, marks));
  }
  const allTold = [...seen.runs.values()].every((run) => run.startedChildren.every((child) => seen.runs.has(child)));
  return allTold ? marks : null;
}

/** Open runs as they were last seen calm, and up to where each history was read for signals. */
interface Seen {
  readonly runs: Map<string, RunState>;
  readonly tails: Map<string, number>;
  /** Run ids of ended runs whose traces were followed. */
  readonly ended: Set<string>;
}

/** The last inbox event and the last effect that were seen, by the database's clock. */
interface Marks {
  readonly inbox: string;
  readonly effect: string;
}

const PAUSE_MS = 8;
const MOST_PAUSE_MS = 30;
/** A run that was told the time needs at least about so long. */
const WAKING_MS = 20;

/** At the beginning of a play: what came in its last minute may still be under way, everything before is listed by the server. */
async function recentMarks(db: Kysely<DB>): Promise<Marks> {
  const { rows } = await sql<{ mark: string }>`select now() - interval '1 minute' as mark`.execute(db);
  const mark = rows[0]?.mark ?? '-infinity';
  return { inbox: mark, effect: mark };
}

/** Waits for each run to be calm and goes on to the runs it signalled, started, or ended for: one generation after the other. */
async function follow(client: Client, seen: Seen, workflowIds: readonly string[], deadline: number): Promise<void> {
  for (let generation = new Set(workflowIds); generation.size > 0;) {
    const next = await Promise.all([...generation].map((workflowId) => followOne(client, seen, workflowId, deadline)));
    generation = new Set(next.flat());
  }
}

/** Waits for a run to be calm; gives the runs that it may have moved, none where it has not moved itself. */
async function followOne(client: Client, seen: Seen, workflowId: string, deadline: number): Promise<readonly string[]> {
  const run = await calm(client, workflowId, deadline);
  const before = seen.runs.get(workflowId);
  if (run?.open) seen.runs.set(workflowId, run);
  else seen.runs.delete(workflowId);
  if (run === null || seen.ended.has(run.runId) || (before?.runId === run.runId && before.historyLength === run.historyLength)) return [];
  if (!run.open) seen.ended.add(run.runId);
  const { targets } = await signalsSent(client, seen, run, deadline);
  const begun = run.startedChildren.filter((child) => !seen.runs.has(child));
  return [...targets, ...begun, ...(run.open || run.parent === null ? [] : [run.parent])];
}

async function calm(client: Client, workflowId: string, deadline: number): Promise<RunState | null> {
  const rest = patience();
  for (;;) {
    const run = await describeRun(client, workflowId);
    if (!run?.open || run.busy === null) return run;
    refuseBroken([run]);
    if (Date.now() > deadline) return run;
    await rest();
  }
}

/** The history of a run that has grown is read once more at its end, until no signal of it is under way. */
async function signalsSent(client: Client, seen: Seen, run: RunState, deadline: number): Promise<{ targets: readonly string[] }> {
  const rest = patience();
  for (;;) {
    const { underWay, targets } = await sentSignals(client, run);
    if (!underWay) seen.tails.set(run.runId, run.historyLength);
    if (!underWay || Date.now() > deadline) return { targets };
    await rest();
  }
}

/**
 * Rests between two looks at what is under way: longer each time, and never shorter than a look takes, because on a busy machine looking
 * holds up what is looked at.
 */
function patience(): () => Promise<void> {
  let milliseconds = PAUSE_MS;
  let rested = Date.now();
  return async () => {
    await pause(Math.max(milliseconds, Date.now() - rested));
    milliseconds = Math.min(milliseconds * 1.5, MOST_PAUSE_MS);
    rested = Date.now();
  };
}

/** Runs that are not as they were last seen: begun, ended, grown, or not yet read for signals. What is open now is seen from here on. */
function movedSince(seen: Seen, open: readonly RunState[]): string[] {
  const moved = open.filter((run) => {
    const before = seen.runs.get(run.workflowId);
    const same = before?.runId === run.runId && before.historyLength === run.historyLength;
    return !same || run.busy !== null || seen.tails.get(run.runId) !== run.historyLength;
  });
  const ended = [...seen.runs.keys()].filter((id) => !open.some((run) => run.workflowId === id));
  return [...moved.map((run) => run.workflowId), ...ended];
}

/** All open runs: those that Postgres knows, their children, and those that the server lists (which may lag behind). */
async function look(client: Client, db: Kysely<DB>, marks: Marks): Promise<{ runs: readonly RunState[]; unrest: readonly string[] }> {
  const listed = listedRuns(client);
  listed.catch(() => undefined);
  const [waiting, inbox] = await Promise.all([waitingRuns(db), inboxSince(db, marks)]);
  const runs = new Map<string, RunState | null>();
  for (const source of [[...waiting, ...inbox.runs], listed]) await describeAll(client, await source, runs);
  const open = [...runs.values()].filter((run): run is RunState => run?.open === true);
  refuseBroken(open);
  const busy = open.filter((run) => run.busy !== null).map((run) => `${run.workflowId} (${run.type}): ${run.busy ?? ''}`);
  const untold = open.flatMap((run) =>
    run.startedChildren.filter((child) => runs.get(child)?.open === false).map((child) => `${run.workflowId}: end of ${child} not told`),
  );
  return { runs: inOrder(open), unrest: [...inbox.unrest, ...busy, ...untold] };
}

/** Runs that are not described yet, and their children. */
async function describeAll(client: Client, workflowIds: readonly string[], runs: Map<string, RunState | null>): Promise<void> {
  for (let ids = workflowIds; ids.length > 0;) {
    const fresh = [...new Set(ids)].filter((id) => !runs.has(id));
    const found = await Promise.all(fresh.map((id) => describeRun(client, id)));
    fresh.forEach((id, index) => runs.set(id, found[index] ?? null));
    ids = found.flatMap((run) => (run?.open ? run.startedChildren : []));
  }
}

function inOrder(runs: Iterable<RunState>): RunState[] {
  return [...runs].sort((a, b) => (a.workflowId < b.workflowId ? -1 : 1));
}

function refuseBroken(runs: readonly RunState[]): void {
  const broken = runs.flatMap((run) => run.problems.map((problem) => `${run.workflowId} (${run.type}): ${problem}`));
  if (broken.length > 0) throw new NotQuiet(broken);
}

/** Runs that Postgres knows to wait: one that has just started may not be listed yet. */
async function waitingRuns(db: Kysely<DB>): Promise<string[]> {
  const waits = await db.selectFrom('open_wait').select('workflow_id').distinct().where('closed_at', 'is', null).execute();
  const deals = await db.selectFrom('deal').select('id').where('finished_at', 'is', null).execute();
  return [...waits.map((row) => row.workflow_id), ...deals.map(({ id }) => dealWorkflowId(id))];
}

/** What of the inbox is still to be handed on, and the runs to which the events that came since went. */
async function inboxSince(db: Kysely<DB>, { inbox }: Marks): Promise<{ unrest: string[]; runs: string[]; until: string }> {
  const rows = await db
    .selectFrom('inbox_event')
    .select(['id', 'source', 'type', 'subject', 'state', 'attempts', 'errors', 'received_at'])
    .where((eb) => eb.or([eb('state', '=', 'received'), eb('received_at', '>', inbox)]))
    .orderBy('received_at')
    .execute();
  const waiting = rows.filter((row) => row.state === 'received');
  return {
    unrest: waiting.map(
      (row) => `inbox event ${row.id} (${row.type}) is not handed on, attempt ${row.attempts}: ${JSON.stringify(row.errors)}`,
    ),
    runs: [...new Set(rows.map((row) => (row.source === ENGINE_SOURCE ? row.subject : intakeWorkflowId(row.subject))))],
    until: rows.at(-1)?.received_at ?? inbox,
  };
}

/** Runs that have had an effect since, or were handed an event: where to begin to follow what moves. */
async function activeSince(db: Kysely<DB>, marks: Marks): Promise<{ runs: string[]; marks: Marks }> {
  const effects = await db.selectFrom('effect').select(['workflow_id', 'created_at']).where('created_at', '>', marks.effect).execute();
  const inbox = await inboxSince(db, marks);
  const last = effects.map((row) => row.created_at).sort().at(-1); // prettier-ignore
  const runs = effects.flatMap((row) => (row.workflow_id === null ? [] : [row.workflow_id]));
  return { runs: [...new Set([...runs, ...inbox.runs])], marks: { inbox: inbox.until, effect: last ?? marks.effect } };
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
