import { setTimeout as delay } from 'node:timers/promises';
import { type Connection, isGrpcServiceError } from '@temporalio/client';
import { temporal } from '@temporalio/proto';

/** Name of our worker deployment; its versions are build ids (D10). */
export const DEPLOYMENT = 'throughline';

/** The build id that new runs and waiting runs go to; null while none was ever set: then nothing runs. */
export async function currentBuildId(connection: Connection, namespace: string): Promise<string | null> {
  try {
    const { workerDeploymentInfo } = await connection.workflowService.describeWorkerDeployment({ namespace, deploymentName: DEPLOYMENT });
    return workerDeploymentInfo?.routingConfig?.currentDeploymentVersion?.buildId ?? null;
  } catch (error) {
    if (isGrpcServiceError(error) && Number(error.code) === NOT_FOUND) return null;
    throw error;
  }
}

/** A build that a worker polls for, and the task queue it polls. */
export interface Release {
  readonly buildId: string;
  readonly taskQueue: string;
  /** The worker deployment; ours unless told otherwise. */
  readonly deploymentName?: string;
}

/**
 * Makes a build the current version, and returns when its task queue sends tasks there. Call it after the replay gate (see
 * replay-gate.ts) and with a worker of that build polling: the server knows a version only once a worker has polled, so it is asked again
 * for a while. It answers before its queues know (a quarter of a second here): the first task of a run that starts in between would go to
 * nobody, and may be found only when the worker's next long poll begins, a minute later.
 */
export async function setCurrentVersion(
  connection: Pick<Connection, 'workflowService'>,
  namespace: string,
  release: Release,
): Promise<void> {
  const { buildId, taskQueue, deploymentName = DEPLOYMENT } = release;
  await askAgain(async () => {
    try {
      await connection.workflowService.setWorkerDeploymentCurrentVersion({
        namespace,
        deploymentName,
        buildId,
        ignoreMissingTaskQueues: true,
        identity: 'throughline-release',
      });
      return null;
    } catch (error) {
      const unknownYet = isGrpcServiceError(error) && [NOT_FOUND, FAILED_PRECONDITION].includes(Number(error.code));
      if (!unknownYet) throw error;
      return error;
    }
  });
  for (const taskQueueType of [WORKFLOW_TASKS, ACTIVITY_TASKS]) {
    await askAgain(async () => {
      const { versioningInfo } = await connection.workflowService.describeTaskQueue({
        namespace,
        taskQueue: { name: taskQueue },
        taskQueueType,
      });
      const routed = versioningInfo?.currentDeploymentVersion?.buildId;
      return routed === buildId ? null : new Error(`task queue ${taskQueue} sends its tasks to build ${routed ?? 'none'}, not ${buildId}`);
    });
  }
}

/** Asks until nothing is wrong; throws what was wrong last after a quarter of a minute. */
async function askAgain(whatIsWrong: () => Promise<Error | null>): Promise<void> {
  for (const deadline = Date.now() + PATIENCE_MS; ;) {
    const wrong = await whatIsWrong();
    if (wrong === null) return;
    if (Date.now() > deadline) throw wrong;
    await delay(PAUSE_MS);
  }
}

const WORKFLOW_TASKS = temporal.api.enums.v1.TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW;
const ACTIVITY_TASKS = temporal.api.enums.v1.TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY;
const NOT_FOUND = 5;
const FAILED_PRECONDITION = 9;
const PATIENCE_MS = 15_000;
const PAUSE_MS = 50;
