import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readConfig } from '../../runtime/config';
import { createLogger } from '../../runtime/logger';
import { seedFolder } from '../../scripts/seed-folder';
import { moveClock } from '../../simulation/driver';
import { startThroughline, type Throughline } from '../../workers/main';
import { startCrmServer, type CrmServer } from '../support/crm-server';
import { REFERENCE_FOLDER } from '../support/reference-deal';
import { scratchFolder } from '../support/scratch';
import { insertLeavers } from './leavers';
import { type SigningSecrets } from './signatures';

/** A whole installation on servers of its own, with the master data of the reference firm. */
export interface Installation extends Throughline {
  readonly secrets: SigningSecrets;
  readonly crm: CrmServer;
  /** The firm's folder: the reference firm, with an operator, an auditor and two data protection officers. */
  readonly firmFolder: string;
  /** What it has logged as a bug. */
  readonly bugs: readonly string[];
  close(): Promise<void>;
}

/** The business moment at which everything begins: a Monday. */
export const BEGINS = '2026-03-02T15:00:00.000Z';

export const FILE_LIMIT_BYTES = 2_000_000;

export async function startInstallation(): Promise<Installation> {
  const folder = scratchFolder('throughline-hardening-');
  const firmFolder = join(folder, 'firm');
  writeFirm(firmFolder);
  const crm = await startCrmServer({ token: 'crm-token-of-the-run' });
  const secrets: SigningSecrets = {
    crm: 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD',
    hubspot: 'hubspot-client-secret-of-the-run',
    relay: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
    outboundToken: 'outbound-token-of-the-run-000001',
    organizationId: '00DHs0000012345MAA',
  };
  const config = readConfig({
    THROUGHLINE_DATA_DIR: join(folder, 'data'),
    SIMULATION: 'true',
    DEV_ISSUER: 'true',
    PORT: '0',
    LOG_LEVEL: 'warn',
    LOG_FORMAT: 'json',
    WORKER_RELEASE: 'true',
    SHUTDOWN_GRACE_SECONDS: '1',
    INTAKE_FILE_LIMIT_BYTES: String(FILE_LIMIT_BYTES),
    CRM_WEBHOOK_SECRET: secrets.crm,
    WEBHOOK_ENDPOINT_KEY: Buffer.alloc(32, 7).toString('base64'),
    HUBSPOT_CLIENT_SECRET: secrets.hubspot,
    HUBSPOT_ACCESS_TOKEN: crm.token,
    HUBSPOT_BASE_URL: crm.url,
    SALESFORCE_RELAY_SECRET: secrets.relay,
    SALESFORCE_OUTBOUND_TOKEN: secrets.outboundToken,
    SALESFORCE_ORGANIZATION_ID: secrets.organizationId,
    SALESFORCE_BASE_URL: crm.url,
    SALESFORCE_ACCESS_TOKEN: crm.token,
    ...cliOf(process.env),
  });
  const bugs: string[] = [];
  const log = createLogger(config.log, { write: (line) => void (/"level":"(?:error|fatal)"/.test(line) && bugs.push(line)) });
  const running = await startThroughline(config, log);
  await moveClock(running.db, BEGINS);
  const loaded = await seedFolder(running.db, firmFolder, { at: BEGINS, actor: 'hardening' });
  if (!('counts' in loaded)) throw new Error(`the firm cannot be loaded: ${JSON.stringify(loaded.slice(0, 5))}`);
  await insertLeavers(running.db, BEGINS);
  return {
    ...running,
    secrets,
    crm,
    firmFolder,
    bugs,
    close: async () => {
      await running.stop();
      await crm.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Where the Temporal binary is, as the surroundings say it; nothing else of them counts. */
function cliOf({ TEMPORAL_CLI_PATH, THROUGHLINE_CACHE_DIR }: NodeJS.ProcessEnv): Record<string, string> {
  return {
    ...(TEMPORAL_CLI_PATH === undefined ? {} : { TEMPORAL_CLI_PATH }),
    ...(THROUGHLINE_CACHE_DIR === undefined ? {} : { THROUGHLINE_CACHE_DIR }),
  };
}

interface FirmUsers {
  readonly users: Record<string, unknown>[];
  readonly delegations: Record<string, unknown>[];
}

function writeFirm(folder: string): void {
  cpSync(REFERENCE_FOLDER, folder, { recursive: true });
  const file = join(folder, 'users.json');
  const firm = JSON.parse(readFileSync(file, 'utf8')) as FirmUsers;
  const also = (id: string, name: string, roles: readonly string[]) => ({
    ...firm.users[0],
    id,
    name,
    email: `${id.toLowerCase()}@example.com`,
    roles,
  });
  // May grant exceptions from the duties, and so try to grant their own.
  for (const user of firm.users.filter(({ id }) => id === 'U-FC-US')) user['roles'] = ['finance-controller', 'entity-head'];
  firm.users.push(also('U-OPS', 'Operator', ['operator']), also('U-AUDIT', 'Auditor', ['auditor']));
  const officer = ['data-protection-officer'];
  firm.users.push(also('U-DPO', 'Officer', officer), also('U-DPO2', 'Second officer', officer));
  const given = (id: string, delegator: string, delegate: string, role: string, ceiling: string) => ({
    ...firm.delegations[0],
    ...{ id, delegator, delegate, role, ceiling, from: '2026-03-01T00:00:00Z', until: '2026-12-31T00:00:00Z' },
  });
  firm.delegations.push(
    given('DEL-11', 'U-DELDIR', 'U-SALESDIR', 'delivery-director', '1000'),
    given('DEL-12', 'U-LEGAL2', 'U-FC-US', 'legal-counsel', '1000000'),
  );
  writeFileSync(file, JSON.stringify(firm));
}
