import { setTimeout as delay } from 'node:timers/promises';
import { type Connection, isGrpcServiceError } from '@temporalio/client';

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

/**
 * Makes a build the current version. Call it after the replay gate (see replay-gate.ts) and with a worker of that build polling: the
 * server knows a version only once a worker has polled, so it is asked again for a while.
 */
export async function setCurrentVersion(
  connection: Connection,
  namespace: string,
  buildId: string,
  deploymentName = DEPLOYMENT,
): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await connection.workflowService.setWorkerDeploymentCurrentVersion({
        namespace,
        deploymentName,
        buildId,
        ignoreMissingTaskQueues: true,
        identity: 'throughline-release',
      });
      return;
    } catch (error) {
      const unknownYet = isGrpcServiceError(error) && [NOT_FOUND, FAILED_PRECONDITION].includes(Number(error.code));
      if (!unknownYet || attempt >= ATTEMPTS) throw error;
      await delay(100);
    }
  }
}

const NOT_FOUND = 5;
const FAILED_PRECONDITION = 9;
const ATTEMPTS = 150;
