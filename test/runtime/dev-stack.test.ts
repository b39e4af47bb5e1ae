import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { Client as Postgres } from 'pg';
import { type DevStack, type DevStackOptions, startDevStack } from '../../runtime/dev-stack';
import { identify } from '../../runtime/process-identity';
import { runningStack } from '../../runtime/stack-record';
import { scratchFolder } from '../support/scratch';

let dataDir: string;
beforeAll(() => {
  dataDir = scratchFolder('throughline-stack-');
});
afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

const start = (options: Partial<DevStackOptions> = {}): Promise<DevStack> =>
  startDevStack({ dataDir, persist: true, ui: false, searchAttributes: [], ...options });

async function inDatabase<T>(url: string, statement: string): Promise<T[]> {
  const client = new Postgres({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  const { rows } = await client.query(statement);
  await client.end();
  return rows as T[];
}

async function withTemporal<T>(stack: { temporalAddress: string; namespace: string }, work: (client: Client) => Promise<T>): Promise<T> {
  const connection = await Connection.connect({ address: stack.temporalAddress });
  try {
    return await work(new Client({ connection, namespace: stack.namespace }));
  } finally {
    await connection.close();
  }
}

const notes = (url: string) => inDatabase<{ text: string }>(url, 'select text from note order by text');
const isWaiting = (stack: DevStack) =>
  withTemporal(stack, async (client) => (await client.workflow.getHandle('waits').describe()).status.name);

it('keeps facts and waiting workflows over a restart, a killed server, and the death of the program that ran it', async () => {
  const first = await start();
  await inDatabase(first.databaseUrl, `create table note (text text); insert into note values ('first')`);
  await withTemporal(first, (client) => client.workflow.start('waiting', { taskQueue: 'nobody', workflowId: 'waits' }));

  // A session that outlives its killed postmaster for a moment holds the memory that the next one needs.
  const session = new Postgres({ connectionString: first.databaseUrl });
  session.on('error', () => undefined);
  await session.connect();
  const { rows } = await session.query<{ pid: number }>('select pg_backend_pid() as pid');
  const pid = rows[0]?.pid ?? 0;
  process.kill(pid, 'SIGSTOP');
  await first.processes.postgres.kill();
  await expect(notes(first.databaseUrl)).rejects.toThrow();
  setTimeout(() => process.kill(pid, 'SIGCONT'), 700);
  await first.processes.postgres.restart();
  expect(await notes(first.databaseUrl)).toEqual([{ text: 'first' }]);

  await first.processes.temporal.kill();
  await first.processes.temporal.restart();
  expect(await isWaiting(first)).toBe('RUNNING');

  await first.stop();
  expect(identify(first.processes.postgres.pid)).toBeUndefined();
  expect(identify(first.processes.temporal.pid)).toBeUndefined();

  const holder = spawn(process.execPath, ['--import', 'tsx', join(__dirname, 'hold-stack.ts'), dataDir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [said] = (await once(holder.stdout, 'data')) as [Buffer];
  expect(said.toString()).toBe('ready\n');
  await expect(start()).rejects.toThrow(`already running (process ${holder.pid})`);
  const orphans = runningStack(dataDir)?.pids ?? { postgres: 0, temporal: 0 };
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  expect(runningStack(dataDir)).toBeUndefined();

  const second = await start();
  expect(await notes(second.databaseUrl)).toEqual([{ text: 'first' }]);
  expect(await isWaiting(second)).toBe('RUNNING');
  expect([identify(orphans.postgres), identify(orphans.temporal)]).toEqual([undefined, undefined]);
  await second.stop();
});

it('starts over a postmaster.pid whose number now belongs to another program', async () => {
  const pidFile = join(dataDir, 'postgres', 'postmaster.pid');
  writeFileSync(pidFile, `${process.pid}\n${join(dataDir, 'postgres')}\n1\n1\n\n127.0.0.1\n`);
  const stack = await start();
  expect(await notes(stack.databaseUrl)).toEqual([{ text: 'first' }]);
  await stack.stop();
});

it('refuses a port that was asked for and is taken, names the variable, and leaves nothing running', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as { port: number };
  await expect(start({ ports: { postgres: port } })).rejects.toThrow('EMBEDDED_POSTGRES_PORT');
  taken.close();
  expect(runningStack(dataDir)).toBeUndefined();
});

it('says what the data is when it was made by another PostgreSQL', async () => {
  const versionFile = join(dataDir, 'postgres', 'PG_VERSION');
  const version = readFileSync(versionFile, 'utf8');
  writeFileSync(versionFile, '17\n');
  await expect(start()).rejects.toThrow('made by PostgreSQL 17');
  writeFileSync(versionFile, version);
});
