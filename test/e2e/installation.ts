import { readConfig } from '../../runtime/config';
import { createLogger } from '../../runtime/logger';
import { startThroughline, type Throughline } from '../../workers/main';
import { testDatabase } from '../support/database';
import { testAddress } from '../support/servers';

export const webhookSecret = 'whsec_dGVzdCBzZWNyZXQgb2YgdGhlIHBsYXllZCBkZWFsIQ==';

export interface Installation extends Throughline {
  readonly webhookSecret: string;
  /** What it has logged so far. */
  readonly logLines: readonly string[];
  close(): Promise<void>;
}

/**
 * The whole product in this process, with a simulated clock: a database of its own on the shared Postgres, a namespace of its own on the
 * shared Temporal server, the API on a free port.
 */
export async function startInstallation(namespace: string, environment: Readonly<Record<string, string>> = {}): Promise<Installation> {
  const database = await testDatabase();
  const config = readConfig({
    DATABASE_URL: database.url,
    TEMPORAL_ADDRESS: testAddress('THROUGHLINE_TEST_TEMPORAL_ADDRESS'),
    TEMPORAL_NAMESPACE: namespace,
    SIMULATION: 'true',
    DEV_ISSUER: 'true',
    CRM_WEBHOOK_SECRET: webhookSecret,
    PORT: '0',
    LOG_LEVEL: 'info',
    LOG_FORMAT: 'json',
    WORKER_RELEASE: 'true',
    SHUTDOWN_GRACE_SECONDS: '1',
    ...environment,
  });
  const logLines: string[] = [];
  const log = createLogger(config.log, { write: (line) => void logLines.push(line) });
  const running = await startThroughline(config, log);
  return {
    ...running,
    webhookSecret,
    logLines,
    close: async () => {
      await running.stop();
      await database.drop();
    },
  };
}
