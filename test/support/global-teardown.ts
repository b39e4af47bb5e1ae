import { type TestServers } from './servers';

/** Ends what the global setup started, and nothing else. */
export default async function globalTeardown(): Promise<void> {
  await (globalThis as { throughlineTestServers?: TestServers }).throughlineTestServers?.stop();
}
