import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { readConfig } from '../../runtime/config';
import { createLogger } from '../../runtime/logger';
import { freePort } from '../../runtime/ports';
import { figuresOf } from '../../simulation/figures';
import { readDealFolder } from '../../simulation/folder';
import { playFolder } from '../../simulation/play';
import { startThroughline, type Throughline } from '../../workers/main';
import { expectedReport } from '../support/expected/report';
import { scratchFolder } from '../support/scratch';
import { uniqueName } from '../support/temporal';
import { startInstallation, webhookSecret } from '../e2e/installation';
import { writePerturbed } from '../e2e/perturbation/perturbation';

const REFERENCE = resolve(__dirname, '..', '..', 'examples', 'reference-deal');

describe('a play that does not go through', () => {
  const root = scratchFolder('throughline-interrupted-');
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  test('goes on after the whole stack was killed in its middle, with the same figures', async () => {
    const path = join(root, 'deal');
    writePerturbed(REFERENCE, path, 11);
    const folder = readDealFolder(path);
    const dataDir = join(root, 'stack');

    const first = await startEmbedded(dataDir);
    const half = playFolder(folder, { ...first, webhookSecret }, { onWait: (moment) => killAfter(moment, first) });
    await expect(half).rejects.toThrow('killed in the middle');
    await first.stop().catch(() => undefined);

    const logged: string[] = [];
    const second = await startEmbedded(dataDir, logged);
    try {
      const { dealId } = await playFolder(folder, { ...second, webhookSecret });
      expect((await figuresOf(second.db, dealId)).invoices).toEqual(expectedReport(path).invoices);
      logged.splice(0);
    } finally {
      await second.stop();
    }
    expect(logged).toEqual([]);
  }, 720_000);

  test('says which run waits for what when master data is missing', async () => {
    const path = join(root, 'incomplete');
    cpSync(REFERENCE, path, { recursive: true });
    const file = join(path, 'customers.json');
    const customers = JSON.parse(readFileSync(file, 'utf8')) as { customers: { billToAccounts: { purchaseOrders: unknown[] }[] }[] };
    for (const account of customers.customers.flatMap((customer) => customer.billToAccounts)) account.purchaseOrders = [];
    writeFileSync(file, JSON.stringify(customers));

    const installation = await startInstallation(uniqueName('incomplete-deal'));
    try {
      const stuck = playFolder(readDealFolder(path, ['L1']), installation);
      await expect(stuck).rejects.toThrow(/waits for account-executive .*PurchaseOrderMissing/);
    } finally {
      await installation.close();
    }
  }, 360_000);
});

/** When half of the year is played, both servers are ended as a power cut would. */
async function killAfter(moment: string, { stack }: Throughline): Promise<void> {
  if (moment < '2026-04-15' || stack === null) return;
  await Promise.all([stack.processes.temporal.kill(), stack.processes.postgres.kill()]);
  throw new Error('killed in the middle');
}

/** Its own servers and all roles; `logged` takes its warnings. */
async function startEmbedded(dataDir: string, logged: string[] = []): Promise<Throughline> {
  const config = readConfig({
    SIMULATION: 'true',
    DEV_ISSUER: 'true',
    CRM_WEBHOOK_SECRET: webhookSecret,
    THROUGHLINE_DATA_DIR: dataDir,
    PORT: String(await freePort()),
    LOG_LEVEL: 'warn',
    LOG_FORMAT: 'json',
    SHUTDOWN_GRACE_SECONDS: '1',
    ...(process.env.TEMPORAL_CLI_PATH === undefined ? {} : { TEMPORAL_CLI_PATH: process.env.TEMPORAL_CLI_PATH }),
    ...(process.env.THROUGHLINE_CACHE_DIR === undefined ? {} : { THROUGHLINE_CACHE_DIR: process.env.THROUGHLINE_CACHE_DIR }),
  });
  return startThroughline(config, createLogger(config.log, { write: (line) => void logged.push(line) }));
}
