import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from '@temporalio/client';
import { type Kysely } from 'kysely';
import { type Pool } from 'pg';
import { type DB } from '../../db/types';
import { readConfig, withStack } from '../../runtime/config';
import { type ControlledProcess, startDevStack } from '../../runtime/dev-stack';
import { migrateToLatest } from '../../runtime/migrator';
import { freePort } from '../../runtime/ports';
import { createDatabase, createPool } from '../../runtime/postgres';
import { connectTemporalLater } from '../../runtime/temporal-connection';
import { seedFolder } from '../../scripts/seed-folder';
import { moveClock } from '../../simulation/driver';
import { embeddedOptions } from '../../workers/main';
import { scratchFolder } from '../support/scratch';
import { type FaultProcess, startProcess } from './process/child';
import { MOMENT } from './deals';

export const TARGETS = ['worker', 'api', 'postgres', 'temporal'] as const;
export type Target = (typeof TARGETS)[number];

/** The product on servers of its own, each part a process of its own that can be killed, and the harness's view of it. */
export interface FaultStack {
  readonly db: Kysely<DB>;
  readonly pool: Pool;
  readonly client: Client;
  readonly apiUrl: string;
  readonly webhookSecret: string;
  /** Names of activities whose first answer was lost, one a line. */
  readonly lostAnswers: string;
  readonly worker: FaultProcess;
  readonly targets: Readonly<Record<Target, ControlledProcess>>;
  /** What the product logged as its own fault. */
  errorsLogged(): string[];
  stop(): Promise<void>;
}

const MASTER_DATA = join(__dirname, '..', '..', 'examples', 'reference-deal');
const SECRET = 'whsec_dGVzdCBzZWNyZXQgb2YgdGhlIGZhdWx0IHJ1bnM=';

/**
 * Data and logs lie in a folder of its own, which is removed at the end, or in `keep`, which stays. `begun` learns of what is to be stopped as
 * soon as there is something.
 */
export async function startFaultStack(begun: (stop: () => Promise<void>) => void, keep?: string): Promise<FaultStack> {
  const dataDir = keep ?? scratchFolder('throughline-faults-');
  const stops: (() => Promise<unknown>)[] = keep === undefined ? [async () => rmSync(dataDir, { recursive: true, force: true })] : [];
  const stop = async (): Promise<void> => {
    for (let next = stops.pop(); next !== undefined; next = stops.pop()) await next().catch(() => undefined);
  };
  begun(stop);
  const own = {
    THROUGHLINE_DATA_DIR: dataDir,
    LOG_LEVEL: 'warn',
    LOG_FORMAT: 'json',
    SIMULATION: 'true',
    DEV_ISSUER: 'true',
    CRM_WEBHOOK_SECRET: SECRET,
    PORT: String(await freePort()),
    // Not the usual ones: while a server is dead, another installation on this machine would take its port.
    EMBEDDED_POSTGRES_PORT: String(await freePort()),
    EMBEDDED_TEMPORAL_PORT: String(await freePort()),
  };
  const given = readConfig({ ...process.env, ...own });
  const servers = await startDevStack({ ...embeddedOptions(given, () => undefined), ui: false });
  stops.push(() => servers.stop());
  const config = withStack(given, servers);
  const onError = (): void => undefined;
  const pool = createPool({ url: servers.databaseUrl, poolSize: 8, statementTimeoutMs: 60_000, applicationName: 'faults', onError });
  const db = createDatabase(pool);
  stops.push(() => db.destroy());
  const connection = connectTemporalLater(config.temporal);
  stops.push(() => connection.close());
  await migrateToLatest(db);
  const loaded = await seedFolder(db, MASTER_DATA, { at: MOMENT, actor: 'faults' });
  if (!('counts' in loaded)) throw new Error(`the master data cannot be loaded: ${JSON.stringify(loaded[0])}`);
  await addOperator(db);
  await moveClock(db, MOMENT);
  const lostAnswers = join(dataDir, 'lost-answers');
  const environment = {
    ...own,
    DATABASE_URL: servers.databaseUrl,
    TEMPORAL_ADDRESS: servers.temporalAddress,
    TEMPORAL_NAMESPACE: servers.namespace,
    LOST_ANSWERS: lostAnswers,
  };
  const start = async (program: 'api' | 'worker', roles: string): Promise<FaultProcess> => {
    const log = join(dataDir, 'logs', `${program}.log`);
    const started = await startProcess(program, { ...environment, THROUGHLINE_ROLES: roles }, log);
    stops.push(() => started.kill());
    return started;
  };
  const worker = await start('worker', 'worker');
  const api = await start('api', 'api,dispatcher,sealer,notifier');
  return {
    db,
    pool,
    client: new Client({ connection, namespace: servers.namespace }),
    apiUrl: `http://127.0.0.1:${own.PORT}`,
    webhookSecret: SECRET,
    lostAnswers,
    worker,
    targets: { worker, api, ...servers.processes },
    errorsLogged: () => ['api', 'worker'].flatMap((program) => errorsIn(join(dataDir, 'logs', `${program}.log`))),
    stop,
  };
}

/** Lines of pino from `error` on, and whatever is no line of it. */
function errorsIn(logFile: string): string[] {
  return readFileSync(logFile, 'utf8').split('\n').filter((line) => line !== '' && !/ WARN|"level":"?(?:[1-4]0|trace|debug|info|warn)\b/.test(line)); // prettier-ignore
}

/** The reference firm has nobody who keeps the engine running. */
async function addOperator(db: Kysely<DB>): Promise<void> {
  const like = await db.selectFrom('app_user').selectAll().where('id', '=', 'U-PMO').executeTakeFirstOrThrow();
  await db
    .insertInto('app_user')
    .values({ ...like, id: 'U-OPS', name: 'Operator', email: 'ops@example.com' })
    .execute();
  await db.insertInto('role_assignment').values({ user_id: 'U-OPS', role: 'operator', scope_kind: 'group', scope_id: '*' }).execute();
}
