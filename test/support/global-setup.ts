import { scratchFolder } from './scratch';
import { startTestServers } from './servers';

/** Starts the servers that all test files share, once; their addresses reach the test processes through the environment. */
export default async function globalSetup(): Promise<void> {
  const dataDir = scratchFolder('throughline-test-');
  const servers = await startTestServers(dataDir);
  Object.assign(process.env, servers.environment);
  Object.assign(globalThis, { throughlineTestServers: servers });
}
