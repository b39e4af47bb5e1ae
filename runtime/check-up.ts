import { execFile } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { type Connection, isGrpcServiceError } from '@temporalio/client';
import { sql } from 'kysely';
import { type Config } from './config';
import { freePort } from './ports';
import { migrationState } from './migrator';
import { nodeVersion } from './node-version';
import { createDatabase, createPool } from './postgres';
import { postgresBinaries, postgresOwner } from './postgres-binaries';
import { runningStack } from './stack-record';
import { resolveTemporalCli, TemporalCliError } from './temporal-cli';
import { connectTemporal } from './temporal-connection';

export interface Finding {
  readonly subject: string;
  /** `note` does not stop Throughline from running. */
  readonly state: 'right' | 'note' | 'wrong';
  readonly detail: string;
  readonly advice?: string;
}

/** Looks at everything that Throughline needs on this machine, changes nothing, and never throws for what it finds. */
export async function checkUp(config: Config, projectFolder: string): Promise<Finding[]> {
  const running = config.embedded ? runningStack(config.dataDir) : undefined;
  const databaseUrl = config.database.url ?? running?.databaseUrl;
  const connection = config.temporal.connection ?? (running === undefined ? undefined : { address: running.temporalAddress });
  const checks = [
    guarded('Node.js', () => node(projectFolder)),
    ...(config.embedded ? [guarded('data folder', () => dataFolder(config, running !== undefined))] : []),
    ...(config.embedded
      ? [guarded('embedded Postgres', () => embeddedPostgres(config)), guarded('temporal binary', () => temporalBinary(config))]
      : []),
    guarded('port of the API', () => apiPort(config)),
    ...(databaseUrl === undefined ? [] : [guarded('database', () => database(databaseUrl))]),
    ...(connection === undefined ? [] : [guarded('Temporal', () => temporal({ ...config.temporal, connection }))]),
  ];
  return Promise.all(checks);
}

async function guarded(subject: string, check: () => Finding | Promise<Finding>): Promise<Finding> {
  try {
    return await check();
  } catch (error) {
    return { subject, state: 'wrong', detail: error instanceof Error ? error.message : String(error) };
  }
}

function node(projectFolder: string): Finding {
  const subject = 'Node.js';
  const { least, isEnough } = nodeVersion(projectFolder);
  const detail = `${process.versions.node} (needs ${least} or newer)`;
  return isEnough ? { subject, state: 'right', detail } : { subject, state: 'wrong', detail, advice: `Install Node.js ${least} or newer.` };
}

function dataFolder(config: Config, isRunning: boolean): Finding {
  const subject = 'data folder';
  let existing = config.dataDir;
  while (!existsSync(existing)) existing = dirname(existing);
  try {
    accessSync(existing, constants.W_OK);
  } catch {
    return {
      subject,
      state: 'wrong',
      detail: `${existing} cannot be written`,
      advice: 'Set THROUGHLINE_DATA_DIR to a folder of your own.',
    };
  }
  return { subject, state: 'right', detail: `${config.dataDir}${isRunning ? ', a stack is running on it' : ''}` };
}

function embeddedPostgres(config: Config): Finding {
  const { major, postgres } = postgresBinaries(postgresOwner(config.dataDir));
  return { subject: 'embedded Postgres', state: 'right', detail: `PostgreSQL ${major}, ${postgres}` };
}

async function temporalBinary(config: Config): Promise<Finding> {
  const subject = 'temporal binary';
  try {
    const cli = await resolveTemporalCli({ cliPath: config.temporal.cliPath, cacheDir: config.cacheDir, offline: true });
    return { subject, state: 'right', detail: `server ${cli.serverVersion} from ${cli.source}, ${cli.path}` };
  } catch (error) {
    if (!(error instanceof TemporalCliError)) throw error;
    const go = await promisify(execFile)('go', ['version']).catch(() => undefined);
    const detail = error.attempts.join('; ');
    if (config.temporal.cliPath !== undefined)
      return { subject, state: 'wrong', detail, advice: 'Correct TEMPORAL_CLI_PATH, or unset it.' };
    const advice = `The first start downloads it${go === undefined ? '; Go, for building it where that fails, is not installed.' : `, or builds it with ${go.stdout.trim()}.`}`;
    return { subject, state: 'note', detail, advice };
  }
}

async function apiPort(config: Config): Promise<Finding> {
  const subject = 'port of the API';
  const { port } = config.http;
  if (port === 0 || (await freePort(port)) === port)
    return { subject, state: 'right', detail: port === 0 ? 'any free one' : `${port} is free` };
  return { subject, state: 'note', detail: `${port} is in use, perhaps by Throughline itself`, advice: 'If not, set PORT to another one.' };
}

async function database(url: string): Promise<Finding> {
  const subject = 'database';
  const db = createDatabase(createPool({ url, poolSize: 1, statementTimeoutMs: 5000, applicationName: 'throughline-doctor' }));
  try {
    const { rows } = await sql<{ server_version: string }>`show server_version`.execute(db);
    const version = rows[0]?.server_version ?? '';
    const { applied, pending, unknown } = await migrationState(db);
    if (pending.length > 0)
      return { subject, state: 'wrong', detail: `${pending.length} migrations are pending`, advice: 'Run npm run migrate.' };
    if (unknown.length > 0)
      return { subject, state: 'wrong', detail: `is newer than this program: ${unknown.join(', ')}`, advice: 'Update Throughline.' };
    const detail = `PostgreSQL ${version} answers, ${applied.length} migrations applied`;
    if (Number.parseInt(version, 10) >= LEAST_POSTGRES) return { subject, state: 'right', detail };
    return { subject, state: 'note', detail, advice: `Use Postgres ${LEAST_POSTGRES} or newer: older ones are not tested.` };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const host = new URL(url).host;
    return {
      subject,
      state: 'wrong',
      detail: `${host} does not answer (${code ?? message})`,
      advice: 'Check DATABASE_URL and that Postgres runs.',
    };
  } finally {
    await db.destroy();
  }
}

const LEAST_POSTGRES = 16;

async function temporal(config: Config['temporal']): Promise<Finding> {
  const subject = 'Temporal';
  const address = config.connection?.address ?? '';
  const connection = await connectTemporal(config, 3000).catch((error: unknown) => error as Error);
  if (connection instanceof Error) {
    return {
      subject,
      state: 'wrong',
      detail: `${address} does not answer (${connection.message})`,
      advice: 'Check TEMPORAL_ADDRESS, TLS and that the server runs.',
    };
  }
  try {
    const { serverVersion } = await connection.workflowService.getSystemInfo({});
    const settings = await namespaceSettings(connection, config.namespace);
    if (settings === null) {
      const advice = 'The first worker makes it. In Temporal Cloud make it yourself, with 30 days of retention.';
      return { subject, state: 'note', detail: `${address}, server ${serverVersion}, has no namespace ${config.namespace}`, advice };
    }
    const days = Number(settings.workflowExecutionRetentionTtl?.seconds ?? 0) / 86_400;
    const detail = `${address}, server ${serverVersion}, namespace ${config.namespace} keeps closed runs ${days} days`;
    return days >= 30
      ? { subject, state: 'right', detail }
      : { subject, state: 'wrong', detail, advice: 'Closed runs must be kept at least 30 days.' };
  } finally {
    await connection.close();
  }
}

/** Null where there is no such namespace. */
async function namespaceSettings(connection: Connection, namespace: string) {
  try {
    return (await connection.workflowService.describeNamespace({ namespace })).config ?? {};
  } catch (error) {
    if (isGrpcServiceError(error) && Number(error.code) === NOT_FOUND) return null;
    throw error;
  }
}

const NOT_FOUND = 5;
