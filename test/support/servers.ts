import { rmSync } from 'node:fs';
import { type Kysely } from 'kysely';
import { type Pool } from 'pg';
import { type DB } from '../../db/types';
import { type DevStack, startDevStack } from '../../runtime/dev-stack';
import { migrateToLatest } from '../../runtime/migrator';
import { createDatabase, createPool } from '../../runtime/postgres';
import { seedReferenceDeal } from './reference-deal';

/** How test processes learn where the shared servers are. */
export interface TestEnvironment {
  readonly THROUGHLINE_TEST_DATABASE_URL: string;
  readonly THROUGHLINE_TEST_TEMPORAL_ADDRESS: string;
}

export interface TestServers {
  readonly environment: TestEnvironment;
  stop(): Promise<void>;
}

export const templateDatabase = 'throughline_template';
export const firmDatabase = 'throughline_firm';
export const testNamespace = 'throughline-test';

/** One Postgres and one Temporal server in a folder that is removed at the end; one template database carries all migrations, the other one a firm too. */
export async function startTestServers(dataDir: string): Promise<TestServers> {
  const stack = await startDevStack({
    dataDir,
    persist: false,
    namespace: testNamespace,
    searchAttributes: [],
    cli: {
      cliPath: process.env.TEMPORAL_CLI_PATH,
      cacheDir: process.env.THROUGHLINE_CACHE_DIR,
      onProgress: (line) => process.stdout.write(`${line}\n`),
    },
  });
  const stop = async (): Promise<void> => {
    await stack.stop();
    rmSync(dataDir, { recursive: true, force: true });
  };
  try {
    await makeTemplates(stack);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    environment: { THROUGHLINE_TEST_DATABASE_URL: stack.databaseUrl, THROUGHLINE_TEST_TEMPORAL_ADDRESS: stack.temporalAddress },
    stop,
  };
}

async function makeTemplates(stack: DevStack): Promise<void> {
  const admin = createPool({ url: stack.databaseUrl, poolSize: 1, statementTimeoutMs: 60_000 });
  await makeTemplate(admin, stack, templateDatabase, 'template0', migrateToLatest);
  await makeTemplate(admin, stack, firmDatabase, templateDatabase, seedReferenceDeal);
  await admin.end();
}

async function makeTemplate(admin: Pool, stack: DevStack, name: string, of: string, fill: (db: Kysely<DB>) => Promise<unknown>) {
  await admin.query(`create database ${name} template ${of}`);
  const db = createDatabase(createPool({ url: stack.urlOf(name), poolSize: 2, statementTimeoutMs: 60_000 }));
  await fill(db);
  await db.destroy();
}

/** The address a test process was given; throws when the global setup did not run. */
export function testAddress(name: keyof TestEnvironment): string {
  const address = process.env[name];
  if (address === undefined) throw new Error(`${name} is missing: run tests through jest, whose global setup starts the servers`);
  return address;
}
