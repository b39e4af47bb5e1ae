import { type Kysely } from 'kysely';
import { type DB } from '../db/types';
import { readConfig, readDatabaseConfig } from '../runtime/config';
import { createDatabase, createPool } from '../runtime/postgres';
import { runningStack } from '../runtime/stack-record';

/** A statement of these programs may take long; they are run by hand. */
const STATEMENT_TIMEOUT_MS = 600_000;

/** Runs `work` on the database of `DATABASE_URL`, else on that of the embedded stack that runs here; throws where there is neither. */
export async function withDatabase<T>(applicationName: string, work: (db: Kysely<DB>) => Promise<T>): Promise<T> {
  const url = readDatabaseConfig().url ?? runningStack(readConfig().dataDir)?.databaseUrl;
  if (url === undefined) throw new Error('No database: set DATABASE_URL, or start the embedded stack with npm start.');
  const db = createDatabase(createPool({ url, poolSize: 2, statementTimeoutMs: STATEMENT_TIMEOUT_MS, applicationName }));
  try {
    return await work(db);
  } finally {
    await db.destroy();
  }
}
