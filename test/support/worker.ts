import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type Client, type Connection } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils';
import { type Kysely } from 'kysely';
import { type Pool } from 'pg';
import { createActivities } from '../../activities/index';
import { type Activities } from '../../contracts/activities';
import { type DB } from '../../db/types';
import { workflowBundle, type WorkflowBundle } from '../../workers/bundle';
import { setCurrentVersion } from '../../workers/release';
import { historyOf } from '../../workers/run-history';
import { startWorker, type RunningWorker } from '../../workers/worker';
import { searchAttributeKeys } from '../../workflows/search-attributes';
import { testDatabase } from './database';
import { testTemporal, uniqueName } from './temporal';

/** Our workers on the shared servers, with a database that has the firm of the reference deal, a task queue and a worker deployment of their own. */
export interface TestEngine {
  readonly db: Kysely<DB>;
  readonly pool: Pool;
  readonly databaseUrl: string;
  readonly client: Client;
  readonly connection: Connection;
  readonly namespace: string;
  readonly taskQueue: string;
  /** The one that it starts with. */
  readonly worker: RunningWorker;
  /** One more build of the deployment, made its current version: waiting runs move to it by themselves (D10). */
  release(bundle: WorkflowBundle): Promise<RunningWorker>;
  stop(): Promise<void>;
}

export interface TestEngineOptions {
  /** Our bundle unless told otherwise. */
  readonly bundle?: WorkflowBundle;
  /** The effects in another guise, see `everyEffectTwice`. */
  readonly disguise?: (activities: Activities) => Activities;
  /** False where the runs are not of code that ships. */
  readonly capture?: boolean;
  /** Where a test looks at all runs there are; shared with other tests unless told otherwise. */
  readonly namespace?: string;
}

/** Where histories of all runs go at the end of a file; set by `npm run histories:capture`. */
export const CAPTURE_FOLDER = 'THROUGHLINE_CAPTURE_FOLDER';

export async function startTestEngine(options: TestEngineOptions = {}): Promise<TestEngine> {
  const attributes = searchAttributeKeys.map(({ name, type }) => ({ name, type }));
  const [database, temporal, bundle] = await Promise.all([
    testDatabase({ firm: true }),
    testTemporal(attributes, options.namespace),
    options.bundle ?? workflowBundle(),
  ]);
  const taskQueue = uniqueName('engine');
  const workers: RunningWorker[] = [];
  const release = async (build: WorkflowBundle): Promise<RunningWorker> => {
    const worker = await startWorker({
      config: {
        worker: {
          taskQueue,
          maxCachedWorkflows: 200,
          maxWorkflowTasks: undefined,
          maxActivities: undefined,
          maxLocalActivities: undefined,
          buildId: undefined,
        },
        temporal: { namespace: temporal.namespace },
        shutdownGraceSeconds: 5,
      },
      db: database.db,
      connection: temporal.nativeConnection,
      bundle: build,
      activities: (options.disguise ?? ((same) => same))(createActivities({ db: database.db })),
      deployment: taskQueue,
    });
    workers.push(worker);
    await setCurrentVersion(temporal.connection, temporal.namespace, { buildId: worker.buildId, taskQueue, deploymentName: taskQueue });
    return worker;
  };
  const worker = await release(bundle);
  return {
    db: database.db,
    pool: database.pool,
    databaseUrl: database.url,
    client: temporal.client,
    connection: temporal.connection,
    namespace: temporal.namespace,
    taskQueue,
    worker,
    release,
    stop: async () => {
      const folder = process.env[CAPTURE_FOLDER];
      try {
        if (folder !== undefined && options.capture !== false) await captureHistories(temporal.client, taskQueue, folder);
      } finally {
        await Promise.all(workers.map((worker) => worker.stop()));
        await temporal.close();
        await database.drop();
      }
    },
  };
}

/** Writes the history of every run of a task queue, ended or still open, as the replay corpus has them. */
async function captureHistories(client: Client, taskQueue: string, folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  for await (const run of client.workflow.list({ query: `TaskQueue = "${taskQueue}"` })) {
    const history = await historyOf(client, run.workflowId, run.runId);
    writeFileSync(join(folder, `${run.type}.${run.runId}.json.gz`), gzipSync(historyToJSON(history)));
  }
}
