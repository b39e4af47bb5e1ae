import { type NativeConnection, Worker } from '@temporalio/worker';
import { type Kysely } from 'kysely';
import { createActivities } from '../activities/index';
import { type Activities } from '../contracts/activities';
import { type DB } from '../db/types';
import { type Config } from '../runtime/config';
import { type WorkflowBundle } from './bundle';
import { DEPLOYMENT } from './release';

export interface WorkerDeps {
  readonly config: {
    readonly worker: Omit<Config['worker'], 'release'>;
    readonly temporal: Pick<Config['temporal'], 'namespace'>;
    readonly shutdownGraceSeconds: number;
  };
  readonly db: Kysely<DB>;
  readonly connection: NativeConnection;
  readonly bundle: WorkflowBundle;
  /** The effects; ours on `db` unless told otherwise. */
  readonly activities?: Activities;
  /** The worker deployment it belongs to; ours unless told otherwise. */
  readonly deployment?: string;
}

export interface RunningWorker {
  readonly buildId: string;
  /** Resolves when the worker has ended; rejects when it died. */
  readonly ended: Promise<void>;
  /** Takes no new work, lets running work end within the grace time, and resolves when nothing runs any more. */
  stop(): Promise<void>;
}

/**
 * A worker of all lifecycles and effects. Versioned by the hash of its workflow code; runs move to the current version by themselves
 * (D10). The cache is sized by memory, not by the number of open runs (D17).
 */
export async function startWorker(deps: WorkerDeps): Promise<RunningWorker> {
  const { config, db, connection, bundle, activities = createActivities({ db }), deployment = DEPLOYMENT } = deps;
  const { worker: settings, temporal, shutdownGraceSeconds } = config;
  const buildId = settings.buildId ?? bundle.buildId;
  const worker = await Worker.create({
    connection,
    namespace: temporal.namespace,
    taskQueue: settings.taskQueue,
    workflowBundle: { codePath: bundle.codePath },
    activities,
    workerDeploymentOptions: {
      useWorkerVersioning: true,
      version: { deploymentName: deployment, buildId },
      defaultVersioningBehavior: 'AUTO_UPGRADE',
    },
    maxCachedWorkflows: settings.maxCachedWorkflows,
    shutdownGraceTime: `${shutdownGraceSeconds} s`,
    ...(settings.maxWorkflowTasks === undefined ? {} : { maxConcurrentWorkflowTaskExecutions: settings.maxWorkflowTasks }),
    ...(settings.maxActivities === undefined ? {} : { maxConcurrentActivityTaskExecutions: settings.maxActivities }),
    ...(settings.maxLocalActivities === undefined ? {} : { maxConcurrentLocalActivityExecutions: settings.maxLocalActivities }),
  });
  const ended = worker.run();
  ended.catch(() => undefined);
  return {
    buildId,
    ended,
    stop: async () => {
      if (worker.getState() === 'RUNNING') worker.shutdown();
      await ended.catch(() => undefined);
    },
  };
}
