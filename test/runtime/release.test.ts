import { type Connection } from '@temporalio/client';
import { workflowBundle } from '../../workers/bundle';
import { setCurrentVersion } from '../../workers/release';
import { startWorker } from '../../workers/worker';
import { intake } from '../../workflows/intake/workflow';
import { searchAttributeKeys } from '../../workflows/search-attributes';
import { type TestDatabase, testDatabase } from '../support/database';
import { until } from '../support/lifecycles';
import { testTemporal, type TestTemporal, uniqueName } from '../support/temporal';

/** What a server answers that makes the version current at once and tells its task queues later. */
function slowServer(answersBefore: number) {
  const asked: { type: number }[] = [];
  const workflowService = {
    setWorkerDeploymentCurrentVersion: async () => Promise.resolve({}),
    describeTaskQueue: async ({ taskQueueType }: { taskQueueType: number }) => {
      asked.push({ type: taskQueueType });
      const known = asked.filter(({ type }) => type === taskQueueType).length > answersBefore;
      return Promise.resolve({ versioningInfo: known ? { currentDeploymentVersion: { buildId: 'new' } } : null });
    },
  };
  return { asked, connection: { workflowService } as unknown as Pick<Connection, 'workflowService'> };
}

test('a build is current only when the queues of workflow and activity tasks send there', async () => {
  const { asked, connection } = slowServer(2);
  await setCurrentVersion(connection, 'any', { buildId: 'new', taskQueue: 'ours' });
  expect(asked.map(({ type }) => type)).toEqual([1, 1, 1, 2, 2, 2]);
});

describe('on a real server', () => {
  let temporal: TestTemporal;
  let database: TestDatabase;
  beforeAll(async () => {
    temporal = await testTemporal(searchAttributeKeys.map(({ name, type }) => ({ name, type })));
    database = await testDatabase();
  });
  afterAll(async () => {
    await temporal.close();
    await database.drop();
  });

  test('every run that starts when a build is released is picked up at once, in five first releases', async () => {
    const bundle = await workflowBundle();
    const waited: number[] = [];
    for (let turn = 0; turn < 5; turn += 1) waited.push(await firstTaskAfterRelease(bundle));
    expect(Math.max(...waited)).toBeLessThan(10_000);
  }, 360_000);

  /** A worker of a deployment of its own, its release, and a run at once; how long the run waited for its first task, in milliseconds. */
  async function firstTaskAfterRelease(bundle: Awaited<ReturnType<typeof workflowBundle>>): Promise<number> {
    const taskQueue = uniqueName('released');
    const limits = { maxWorkflowTasks: undefined, maxActivities: undefined, maxLocalActivities: undefined, buildId: undefined };
    const worker = await startWorker({
      config: {
        worker: { taskQueue, maxCachedWorkflows: 10, ...limits },
        temporal: { namespace: temporal.namespace },
        shutdownGraceSeconds: 1,
      },
      db: database.db,
      connection: temporal.nativeConnection,
      bundle,
      deployment: taskQueue,
    });
    try {
      await setCurrentVersion(temporal.connection, temporal.namespace, { buildId: worker.buildId, taskQueue, deploymentName: taskQueue });
      const began = Date.now();
      const input = { stream: taskQueue, clock: { simulated: false } } as const;
      const run = await temporal.client.workflow.start(intake, { workflowId: taskQueue, taskQueue, args: [input] });
      await until('the first task', async () =>
        (await run.fetchHistory()).events?.some((event) => event.workflowTaskCompletedEventAttributes),
      );
      const waited = Date.now() - began;
      await run.terminate();
      return waited;
    } finally {
      await worker.stop();
    }
  }
});
