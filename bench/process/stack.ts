import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, type Connection } from '@temporalio/client';
import { type Kysely } from 'kysely';
import { createGateway, type Gateway } from '../../api/gateway/gateway';
import { type DB } from '../../db/types';
import { type Config, readConfig, withStack } from '../../runtime/config';
import { startDevStack, type DevStack } from '../../runtime/dev-stack';
import { migrateToLatest } from '../../runtime/migrator';
import { createDatabase, createPool } from '../../runtime/postgres';
import { connectTemporal } from '../../runtime/temporal-connection';
import { seedFolder } from '../../scripts/seed-folder';
import { moveClock } from '../../simulation/driver';
import { embeddedOptions } from '../../workers/main';
import { MOMENT } from '../lifecycle/standard-deal';
import { askOnlyForTheDeal } from '../lifecycle/standard-policy';
import { startWorkerProcess, type WorkerProcess } from './worker-process';

/** The embedded servers as `npm start` runs them, with master data, and a client's view of them. */
export interface BenchStack {
  readonly servers: DevStack;
  readonly db: Kysely<DB>;
  readonly client: Client;
  readonly connection: Connection;
  readonly gateway: Gateway;
  readonly config: Config;
  /** Variables with which a process of its own uses these servers. */
  readonly environment: Readonly<Record<string, string>>;
  /** A worker of the product in a process of its own. */
  startProduct(): Promise<WorkerProcess>;
  stop(): Promise<void>;
}

const MASTER_DATA = join(__dirname, '..', '..', 'examples', 'reference-deal');

/** Starts the servers in a folder of their own, which is removed at the end; the business clock stands at `MOMENT`. */
export async function startBenchStack(): Promise<BenchStack> {
  const dataDir = mkdtempSync(join(tmpdir(), 'throughline-bench-'));
  const own = { THROUGHLINE_DATA_DIR: dataDir, LOG_LEVEL: 'warn', SIMULATION: 'true' };
  const given = readConfig({ ...process.env, ...own });
  const servers = await startDevStack(embeddedOptions(given, () => undefined));
  const config = withStack(given, servers);
  const db = createDatabase(createPool({ url: servers.databaseUrl, poolSize: 10, statementTimeoutMs: 60_000 }));
  const connection = await connectTemporal(config.temporal);
  const client = new Client({ connection, namespace: servers.namespace });
  await migrateToLatest(db);
  const loaded = await seedFolder(db, MASTER_DATA, { at: MOMENT, actor: 'bench' });
  if (!('counts' in loaded)) throw new Error(`the master data cannot be loaded: ${JSON.stringify(loaded[0])}`);
  await askOnlyForTheDeal(db);
  await moveClock(db, MOMENT);
  const { taskQueue } = config.worker;
  const environment = {
    ...own,
    DATABASE_URL: servers.databaseUrl,
    TEMPORAL_ADDRESS: servers.temporalAddress,
    TEMPORAL_NAMESPACE: servers.namespace,
    WORKER_RELEASE: 'false',
    THROUGHLINE_ROLES: 'worker,dispatcher,sealer',
  };
  const gateway = createGateway(client, { taskQueue, namespace: servers.namespace, uiUrl: undefined, timeoutMs: 60_000 });
  return {
    servers,
    db,
    client,
    connection,
    gateway,
    config,
    environment,
    startProduct: () => startWorkerProcess({ environment }, 'product'),
    stop: async () => {
      await gateway.settled();
      await db.destroy();
      await connection.close();
      await servers.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
