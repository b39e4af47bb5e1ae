import { readConfig } from '../../runtime/config';
import { workflowBundle } from '../../workers/bundle';
import { startThroughline } from '../../workers/main';
import { setCurrentVersion } from '../../workers/release';

/** The product's process without its API: worker, dispatcher and keepers. */
async function main(): Promise<void> {
  const config = readConfig();
  const running = await startThroughline(config);
  const { namespace } = running.config.temporal;
  // No run is older than these servers, so there is nothing to replay before the build is released.
  const release = { buildId: (await workflowBundle()).buildId, taskQueue: config.worker.taskQueue };
  await setCurrentVersion(running.client.connection, namespace, release);
  process.send?.('ready');
  process.once('SIGTERM', () => void running.stop().then(() => process.exit(0)));
}

void main();
