import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';
import { Command } from 'commander';
import { sql, type Kysely } from 'kysely';
import { Client } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { uuidv7 } from 'uuidv7';
import { createApiKey } from '../api/auth/api-keys';
import { type DB } from '../db/types';
import { readConfig } from '../runtime/config';
import { freePort } from '../runtime/ports';
import { createDatabase, createPool } from '../runtime/postgres';
import { seedFolder } from '../scripts/seed-folder';
import { insertFacts } from '../test/support/api-facts';
import { insertTask } from '../test/support/intake-files';
import { workflowBundle } from '../workers/bundle';
import { startThroughline } from '../workers/main';
import { setCurrentVersion } from '../workers/release';
import { COPIED, copyText, day, HEADER, hours, person, task, TASKS, timeRows, type RowIds } from './intake-rows';

export interface IntakeFigures {
  readonly rows: number;
  /** Rows per second from the first byte of the request to the last row being a fact, and what the bare insert and COPY give. */
  readonly rowsPerSecond: number;
  readonly doorRowsPerSecond: number;
  readonly bare: { readonly copy: number; readonly unnest: number };
  readonly ratioToCopy: number;
  readonly memoryMb: { readonly before: number; readonly most: number };
}

interface Options {
  readonly rows: string;
  readonly rounds: string;
  readonly json?: string;
}

/** Files of time entries over HTTP, through inbox, stream and activities, against COPY and a bare insert of the same rows into the same table. */
export async function benchIntake(rows: number, rounds: number, say: (line: string) => void): Promise<IntakeFigures> {
  const dataDir = mkdtempSync(join(tmpdir(), 'throughline-bench-'));
  const environment = {
    ...process.env,
    THROUGHLINE_DATA_DIR: dataDir,
    LOG_LEVEL: 'warn',
    PORT: String(await freePort()),
    WORKER_RELEASE: 'false',
  };
  const running = await startThroughline(readConfig({ ...environment, INTAKE_FILE_LIMIT_BYTES: '2000000000' }));
  const url = running.config.database.url ?? '';
  // Whoever makes and empties tables owns them; the product's own role may not.
  const owner = createDatabase(createPool({ url, poolSize: 1, statementTimeoutMs: 600_000, onError: () => undefined }));
  try {
    const { db, config } = running;
    // No run is older than this server, so there is nothing to replay before the build is released.
    const release = { buildId: (await workflowBundle()).buildId, taskQueue: config.worker.taskQueue };
    await setCurrentVersion(running.client.connection, config.temporal.namespace, release);
    await seedFolder(db, join(__dirname, '..', 'examples', 'reference-deal'), { at: new Date().toISOString(), actor: 'bench' });
    const facts = await insertFacts(db, 'LE-US', 'BA-US');
    await insertTask(db, facts);
    const ids = { contractLineId: facts.contractLineId, taskIds: await insertTasks(db) };
    const key = await createApiKey(db, { id: uuidv7(), name: 'bench', roles: ['time-integration'], scope: { kind: 'group' } });
    const measured: (Taken & { readonly copy: number; readonly unnest: number })[] = [];
    for (let round = 0; round <= rounds; round += 1) {
      const bare = {
        copy: await rateOf(rows, () => bareCopy(url, rows, ids)),
        unnest: await rateOf(rows, () => bareUnnest(owner, rows, ids)),
      };
      await sql`truncate time_entry, policy_finding cascade`.execute(owner);
      const taken = await intake(running.apiUrl, String(key), facts.dealId, rows, round);
      const steps = await stepsOf(db, taken.batchId);
      const line = `${bare.copy.toFixed(0)} COPY, ${bare.unnest.toFixed(0)} bare insert, ${taken.rate.toFixed(0)} intake (door ${taken.doorRate.toFixed(0)})`;
      say(`${round === 0 ? 'warm-up' : `round ${round}`}: ${line} rows/s; ${steps}; ${taken.mostMb.toFixed(0)} MB at most`);
      if (round > 0) measured.push({ ...taken, ...bare });
    }
    const median = (of: (each: (typeof measured)[number]) => number) =>
      measured.map(of).sort((a, b) => a - b)[Math.floor(measured.length / 2)] ?? 0;
    const [rowsPerSecond, copy] = [median(({ rate }) => rate), median((each) => each.copy)];
    return {
      rows,
      rowsPerSecond,
      doorRowsPerSecond: median(({ doorRate }) => doorRate),
      bare: { copy, unnest: median(({ unnest }) => unnest) },
      ratioToCopy: rowsPerSecond / copy,
      memoryMb: { before: median(({ beforeMb }) => beforeMb), most: Math.max(...measured.map(({ mostMb }) => mostMb)) },
    };
  } finally {
    await owner.destroy();
    await running.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

/** How long the blocks took, and the last of them, after which policy looks at what came. */
async function stepsOf(db: Kysely<DB>, batchId: string): Promise<string> {
  const { rows } = await sql<{ seconds: number }>`
    select extract(epoch from effect.created_at - lag(effect.created_at) over (order by effect.created_at))::float8 as seconds
      from effect join intake_batch on starts_with(effect.key, 'intake/' || intake_batch.inbox_event_id) where intake_batch.id = ${batchId}
     order by effect.created_at offset 1`.execute(db);
  const blocks = rows.map(({ seconds }) => seconds);
  const before = blocks.slice(0, -1);
  const sum = before.reduce((total, each) => total + each, 0);
  return `${before.length} blocks in ${sum.toFixed(1)} s, the last in ${(blocks.at(-1) ?? 0).toFixed(1)} s`;
}

/** Tasks T1 to T12, alike. */
async function insertTasks(db: Kysely<DB>): Promise<string[]> {
  const first = await db.selectFrom('work_task').selectAll().executeTakeFirstOrThrow();
  const others = Array.from({ length: TASKS - 1 }, (_, index) => ({ ...first, id: uuidv7(), code: `T${index + 2}` }));
  await db.insertInto('work_task').values(others).execute();
  return [first.id, ...others.map(({ id }) => id)];
}

const megabytes = (): number => process.memoryUsage.rss() / 1024 / 1024;

interface Taken {
  readonly batchId: string;
  readonly rate: number;
  readonly doorRate: number;
  readonly beforeMb: number;
  readonly mostMb: number;
}

async function intake(apiUrl: string, key: string, dealId: string, rows: number, round: number): Promise<Taken> {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'text/csv' };
  const beforeMb = megabytes();
  let mostMb = beforeMb;
  const watch = setInterval(() => (mostMb = Math.max(mostMb, megabytes())), 20);
  const began = performance.now();
  const body = Readable.toWeb(Readable.from(pieces(rows, round))) as unknown as ReadableStream;
  const answer = await fetch(`${apiUrl}/v1/deals/${dealId}/time-entries`, { method: 'POST', headers, body, duplex: 'half' });
  const { batchId } = (await answer.json()) as { batchId?: string };
  if (batchId === undefined) throw new Error(`the file was answered ${answer.status}`);
  const door = performance.now();
  for (let state = 'received'; state === 'received'; await new Promise((resolve) => setTimeout(resolve, 20))) {
    const batch = (await (
      await fetch(`${apiUrl}/v1/intake-batches/${batchId}`, { headers: { authorization: headers.authorization } })
    ).json()) as {
      state: string;
      stored: number;
    };
    ({ state } = batch);
    if (state === 'applied' && batch.stored !== rows) throw new Error(`${batch.stored} of ${rows} rows were stored`);
  }
  clearInterval(watch);
  const seconds = (performance.now() - began) / 1000;
  return { batchId, rate: rows / seconds, doorRate: (rows * 1000) / (door - began), beforeMb, mostMb };
}

function* pieces(rows: number, round: number): Generator<string> {
  yield HEADER;
  yield* timeRows(rows, `R${round}-`);
}

async function rateOf(rows: number, run: () => Promise<void>): Promise<number> {
  const began = performance.now();
  await run();
  return (rows * 1000) / (performance.now() - began);
}

/** A table like the real one, with its checks, indexes and foreign keys, and without anything of ours around it. */
async function emptyCopy(run: (text: string) => Promise<unknown>): Promise<void> {
  await run('drop table if exists bare_time_entry');
  await run('create table bare_time_entry (like time_entry including all)');
  await run(`alter table bare_time_entry add foreign key (contract_line_id) references contract_line (id),
    add foreign key (person_id) references person (id), add foreign key (work_task_id) references work_task (id)`);
}

async function bareCopy(url: string, rows: number, ids: RowIds): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await emptyCopy((text) => client.query(text));
    await pipeline(Readable.from(copyText(rows, ids)), client.query(copyFrom(`copy bare_time_entry (${COPIED.join(', ')}) from stdin`)));
  } finally {
    await client.end();
  }
}

const BLOCK = 5_000;

async function bareUnnest(db: Kysely<DB>, rows: number, ids: RowIds): Promise<void> {
  await emptyCopy((text) => sql.raw(text).execute(db));
  for (let from = 0; from < rows; from += BLOCK) {
    const numbers = Array.from({ length: Math.min(BLOCK, rows - from) }, (_, index) => from + index);
    await sql`
      insert into bare_time_entry (entry_id, contract_line_id, person_id, work_task_id, work_date, hour_type, hours, work_country, onsite, billable,
                                   rework, note, status, submitted_at, approved_at, approved_by, role_code)
      select entry_id, ${ids.contractLineId}, person_id, task_id, work_date, 'regular', hours, 'US', false, true, false, note, 'approved',
             work_date + interval '16 hours', work_date + interval '17 hours', 'U-PM-US', 'CON'
        from unnest(${numbers.map((n) => `X-${n}`)}::text[], ${numbers.map(person)}::text[], ${numbers.map((n) => ids.taskIds[task(n)])}::uuid[],
                    ${numbers.map(day)}::date[], ${numbers.map(hours)}::numeric[], ${numbers.map((n) => `Interviews and findings ${n}`)}::text[])
             as row (entry_id, person_id, task_id, work_date, hours, note)
      on conflict do nothing`.execute(db);
  }
}

async function main(options: Options): Promise<void> {
  const say = (line: string) => process.stdout.write(`${line}\n`);
  const figures = await benchIntake(Number(options.rows), Number(options.rounds), say);
  say(
    `intake ${figures.rowsPerSecond.toFixed(0)} rows/s end to end, ${figures.ratioToCopy.toFixed(2)} of COPY (${figures.bare.copy.toFixed(0)}), ` +
      `${(figures.rowsPerSecond / figures.bare.unnest).toFixed(2)} of a bare insert (${figures.bare.unnest.toFixed(0)}); ` +
      `memory ${figures.memoryMb.before.toFixed(0)} → ${figures.memoryMb.most.toFixed(0)} MB`,
  );
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(figures, null, 2)}\n`);
}

if (require.main === module)
  void new Command('bench-intake')
    .description('Rows per second of a file of time entries, against COPY and a bare insert on the same server')
    .option('--rows <count>', 'rows of the file', '100000')
    .option('--rounds <count>', 'rounds after the warm-up; medians are printed', '3')
    .option('--json <file>', 'writes the figures as JSON')
    .addHelpText('after', '\nExample: npx tsx bench/intake.ts --rows 1300000 --rounds 1   (a file of 200 MB)')
    .action(main)
    .parseAsync();
