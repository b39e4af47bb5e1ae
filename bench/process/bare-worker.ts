import { Pool } from 'pg';
import { type Activities } from '../../contracts/activities';
import { createDatabase, createPool } from '../../runtime/postgres';
import { readConfig } from '../../runtime/config';
import { createLogger } from '../../runtime/logger';
import { installTemporalRuntime } from '../../runtime/temporal-runtime';
import { connectTemporal, connectWorker } from '../../runtime/temporal-connection';
import { setCurrentVersion } from '../../workers/release';
import { startWorker } from '../../workers/worker';
import { INSERT_ROW } from '../bare/rows';

/** A worker of the bare workflows with the product's settings. */
async function main(): Promise<void> {
  const config = readConfig();
  installTemporalRuntime(createLogger(config.log), config);
  const { BARE_BUNDLE: codePath = '', BARE_BUILD: buildId = '', BARE_QUEUE: taskQueue = '' } = process.env;
  const url = config.database.url ?? '';
  const pool = new Pool({ connectionString: url, max: config.database.poolSize });
  const activities = {
    commit: async (name: string, role: string, step: number) => void (await pool.query({ ...INSERT_ROW, values: [name, role, step] })),
  };
  const worker = await startWorker({
    config: { ...config, worker: { ...config.worker, taskQueue, buildId: undefined } },
    db: createDatabase(createPool({ url, poolSize: 1, statementTimeoutMs: 10_000 })),
    connection: await connectWorker(config.temporal),
    bundle: { codePath, buildId },
    activities: activities as unknown as Activities,
    deployment: taskQueue,
  });
  const connection = await connectTemporal(config.temporal);
  await setCurrentVersion(connection, config.temporal.namespace, { buildId, taskQueue, deploymentName: taskQueue });
  process.send?.('ready');
  process.once('SIGTERM', () => void worker.stop().then(() => process.exit(0)));
}

void main();
