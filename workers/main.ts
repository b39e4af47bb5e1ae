import { Client, type Connection } from '@temporalio/client';
import { type NativeConnection } from '@temporalio/worker';
import { type FastifyInstance } from 'fastify';
import { sql, type Kysely } from 'kysely';
import { decideApart } from '../activities/approval/decision';
import { publicUrlOf } from '../api/address';
import { isDatabaseOutage } from '../api/outage';
import { type DB } from '../db/types';
import { businessClock, type BusinessClock } from '../runtime/business-clock';
import { type Config, listenUrl, withStack } from '../runtime/config';
import { type DevStack, type DevStackOptions, startDevStack } from '../runtime/dev-stack';
import { createLogger, type Logger } from '../runtime/logger';
import { createMetrics, type Metrics } from '../runtime/metrics';
import { migrateToLatest, requireMigrated } from '../runtime/migrator';
import { OperatorError } from '../runtime/operator-error';
import { portInUse } from '../runtime/ports';
import { APPLICATION_ROLE, createDatabase, createPool } from '../runtime/postgres';
import { connectTemporal, connectTemporalLater, connectWorker } from '../runtime/temporal-connection';
import { prepareNamespace } from '../runtime/temporal-namespace';
import { installTemporalRuntime } from '../runtime/temporal-runtime';
import { searchAttributeKeys } from '../workflows/search-attributes';
import { startArchiver } from './archiver';
import { workflowBundle, type WorkflowBundle } from './bundle';
import { startDispatcher } from './dispatcher';
import { startNotifier } from './notifier';
import { currentBuildId, setCurrentVersion } from './release';
import { startPrivacyKeeper } from './privacy-keeper';
import { warnOfSmallHeap } from './heap';
import { passReplayGate } from './replay-gate';
import { startSealer } from './sealer';
import { startStallWatch } from './stall-watch';
import { type RunningWorker, startWorker } from './worker';

/** A running installation, or the part of it that its roles name. */
export interface Throughline {
  readonly config: Config;
  /** The embedded servers; null where others are used. */
  readonly stack: DevStack | null;
  readonly apiUrl: string;
  readonly uiUrl: string | undefined;
  readonly db: Kysely<DB>;
  readonly client: Client;
  readonly log: Logger;
  /** Rejects when a worker died; resolves when it has been stopped. */
  readonly ended: Promise<void>;
  /** Takes nothing new, lets what runs end within the grace time, then ends what this process started. */
  stop(): Promise<void>;
}

/** Search attributes as the namespace must know them (D16). */
export const searchAttributes = searchAttributeKeys.map(({ name, type }) => ({ name, type }));

interface Surroundings {
  readonly config: Config;
  readonly db: Kysely<DB>;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly clock: BusinessClock;
  readonly connection: Connection;
  readonly client: Client;
}

type Stop = () => Promise<void>;

/** Starts the roles of the configuration in one process; with neither a database nor a Temporal server named, its own servers too. */
export async function startThroughline(given: Config, log: Logger = createLogger(given.log)): Promise<Throughline> {
  installRuntimeOnce(log, given);
  const stops: Stop[] = [];
  const stop = async (): Promise<void> => {
    for (let next = stops.pop(); next !== undefined; next = stops.pop()) await next();
  };
  try {
    const stack = given.embedded ? await startDevStack(embeddedOptions(given, (line) => log.info(line))) : null;
    if (stack) stops.push(() => stack.stop());
    const config = stack ? withStack(given, stack) : given;
    const bundle = config.roles.includes('worker') ? workflowBundle((message) => log.info(message)) : null;
    await migrated(config, stack !== null);
    const around = openSurroundings(config, log, stops);
    const apiUrl = config.roles.includes('api') ? await startApi(around, stops) : apiElsewhere(config);
    const worker = bundle ? await startWorkers(around, await bundle, stops) : null;
    startKeepers(around, apiUrl, stops);
    return {
      config,
      stack,
      apiUrl,
      uiUrl: config.temporal.uiUrl,
      db: around.db,
      client: around.client,
      log,
      ended: worker?.ended ?? new Promise(() => undefined),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The options of the embedded servers; getting the Temporal binary takes minutes the first time, and each step of it is told. */
export function embeddedOptions(config: Config, onProgress: (line: string) => void): DevStackOptions {
  return {
    dataDir: config.dataDir,
    persist: true,
    // What a simulation has lost can be played again.
    synced: !config.simulation,
    namespace: config.temporal.namespace,
    searchAttributes,
    ports: config.embeddedPorts,
    cli: { cliPath: config.temporal.cliPath, cacheDir: config.cacheDir, onProgress },
  };
}

/** As the login, which owns the tables; everything after it runs as the role of the product. */
async function migrated(config: Config, isOurs: boolean): Promise<void> {
  const { statementTimeoutMs } = config.database;
  const db = createDatabase(createPool({ url: databaseUrl(config), poolSize: 2, statementTimeoutMs }));
  try {
    await (isOurs ? migrateToLatest(db) : requireMigrated(db).catch(databaseAway(config)));
    const { rows } = await sql<{ login: string; may: boolean }>`
      select current_user as login, pg_has_role(current_user, ${APPLICATION_ROLE}, 'SET') as may`.execute(db);
    const [{ login, may } = { login: '', may: false }] = rows;
    if (!may)
      throw new OperatorError(
        `${login} may not take the role ${APPLICATION_ROLE}. Have it granted: grant ${APPLICATION_ROLE} to ${login};`,
      );
  } finally {
    await db.destroy();
  }
}

function databaseUrl({ database: { url } }: Config): string {
  if (url === undefined) throw new Error('no database is configured');
  return url;
}

function openSurroundings(config: Config, log: Logger, stops: Stop[]): Surroundings {
  const { poolSize, statementTimeoutMs } = config.database;
  const pool = createPool({
    url: databaseUrl(config),
    poolSize,
    statementTimeoutMs,
    role: APPLICATION_ROLE,
    onError: (error) => log.warn({ err: error }, 'an idle database connection broke'),
  });
  const db = createDatabase(pool);
  stops.push(() => db.destroy());
  const connection = connectTemporalLater(config.temporal);
  stops.push(() => connection.close());
  const client = new Client({ connection, namespace: config.temporal.namespace });
  return { config, db, log, metrics: createMetrics(), clock: businessClock(db, config), connection, client };
}

/** The API's modules are loaded where it is served: a worker alone is ready without them, a fifth of a second earlier. */
async function startApi({ config, db, log, metrics, clock, client }: Surroundings, stops: Stop[]): Promise<string> {
  const { createApp } = await import('../api/app.js');
  const app = await createApp({ config, db, temporal: client, clock, log, metrics, decideApart: decideApart({ db }) });
  stops.push(() => app.close());
  await listen(app, config.http);
  return publicUrlOf(config.http, app);
}

async function listen(app: FastifyInstance, { host, port }: Config['http']): Promise<void> {
  try {
    await app.listen({ host, port });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE') throw portInUse(port, 'PORT');
    if (code === 'EADDRNOTAVAIL') throw new OperatorError(`${host} is no address of this machine. Set HOST to one, such as 127.0.0.1.`);
    if (code === 'EACCES') throw new OperatorError(`Port ${port} may not be opened by this user. Set PORT to one above 1023.`);
    throw error;
  }
}

/** Of a process that is not the API: where the configuration says that the API is. */
function apiElsewhere({ http }: Config): string {
  return http.publicUrl ?? listenUrl(http.host, http.port);
}

/** A worker that polls, and its build as the current version once the committed histories replay on it (D10, I-14). */
async function startWorkers({ config, db, log }: Surroundings, bundle: WorkflowBundle, stops: Stop[]): Promise<RunningWorker> {
  const { namespace } = config.temporal;
  const plain = await connectTemporal(config.temporal).catch(temporalAway(config));
  stops.push(() => plain.close());
  if (!config.embedded) await prepareNamespace(plain, namespace, { retentionDays: RETENTION_DAYS, searchAttributes });
  const connection: NativeConnection = await connectWorker(config.temporal);
  stops.push(() => connection.close());
  warnOfSmallHeap(config.worker.maxCachedWorkflows, log);
  const worker = await startWorker({ config, db, connection, bundle });
  stops.push(() => worker.stop());
  if (config.worker.release && (await currentBuildId(plain, namespace)) !== worker.buildId) {
    const replayed = await passReplayGate(bundle, log);
    await setCurrentVersion(plain, namespace, { buildId: worker.buildId, taskQueue: config.worker.taskQueue });
    log.info({ buildId: worker.buildId, replayed }, 'build is the current version');
  }
  return worker;
}

const RETENTION_DAYS = 30;

/** A server that does not answer at the start is for whoever starts us; later it is an outage, which is waited out. */
function databaseAway({ database: { url = '' } }: Config): (error: unknown) => never {
  return (error) => {
    if (!isDatabaseOutage(error)) throw error;
    const { host } = new URL(url);
    throw new OperatorError(
      `The database at ${host} does not answer (${(error as Error).message}). Check DATABASE_URL and that Postgres runs.`,
    );
  };
}

function temporalAway({ temporal: { connection } }: Config): (error: unknown) => never {
  return (error) => {
    const why = error instanceof Error ? error.message : String(error);
    throw new OperatorError(`Temporal at ${connection?.address} does not answer (${why}). Check TEMPORAL_ADDRESS, TLS and that it runs.`, {
      cause: error,
    });
  };
}

/** What runs beside requests and workflows: delivery of the inbox, messages to the outside, anchors of the audit log, export of histories, stalled runs, erasures and what is past its time. */
function startKeepers(around: Surroundings, apiUrl: string, stops: Stop[]): void {
  const { config, db, log, client } = around;
  if (config.roles.includes('dispatcher')) {
    const dispatcher = startDispatcher({ ...around, temporal: client });
    stops.push(() => dispatcher.stop());
  }
  if (config.roles.includes('notifier')) {
    const notifier = startNotifier({ ...around, config: { ...config, http: { ...config.http, publicUrl: apiUrl } } });
    stops.push(() => notifier.stop());
  }
  if (!config.roles.includes('sealer')) return;
  for (const keeper of [
    startSealer(db, log),
    startArchiver({ db, client, log }),
    startStallWatch({ db, client, log }),
    startPrivacyKeeper(around),
  ])
    stops.push(() => keeper.stop());
}

let installed = false;

/** The SDK's runtime is one per process; a second installation in tests uses the first. */
function installRuntimeOnce(log: Logger, config: Config): void {
  if (installed) return;
  installed = true;
  installTemporalRuntime(log, config);
}
