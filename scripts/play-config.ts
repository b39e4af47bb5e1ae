import { randomBytes } from 'node:crypto';
import { readConfig, type Config } from '../runtime/config';
import { freePort } from '../runtime/ports';

/** The usual port of the API, and the next ones tried when it is taken. */
const USUAL_PORTS = [3000, 3001, 3002];

/**
 * The configuration of a play: business time is simulated, people sign in with the development issuer, and the CRM signs with a secret
 * made for this start unless one is set; its worker makes its build the current version, because outside servers have none before the first
 * release. Everything else is taken from the environment. Throws `ConfigError`.
 */
export async function playConfig(dataDir: string, env: NodeJS.ProcessEnv = process.env): Promise<Config> {
  return readConfig({
    LOG_LEVEL: 'warn',
    LOG_FORMAT: 'text',
    DEV_ISSUER: 'true',
    CRM_WEBHOOK_SECRET: `whsec_${randomBytes(24).toString('base64')}`,
    PORT: String(await freePort(...USUAL_PORTS)),
    WORKER_RELEASE: 'true',
    ...env,
    SIMULATION: 'true',
    THROUGHLINE_DATA_DIR: dataDir,
  });
}
