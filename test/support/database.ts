import { randomBytes } from 'node:crypto';
import { type Kysely } from 'kysely';
import { Client, type Pool } from 'pg';
import { type DB } from '../../db/types';
import { createDatabase, createPool } from '../../runtime/postgres';
import { firmDatabase, templateDatabase, testAddress } from './servers';

export interface TestDatabase {
  readonly db: Kysely<DB>;
  readonly pool: Pool;
  readonly url: string;
  drop(): Promise<void>;
}

export interface TestDatabaseOptions {
  readonly empty?: boolean;
  readonly firm?: boolean;
  readonly poolSize?: number;
}

/**
 * A database of its own with all migrations applied, for one test file. Call `drop` in `afterAll`.
 * `firm: true` puts the master data of the reference deal in, `empty: true` leaves the migrations out.
 */
export async function testDatabase(options: TestDatabaseOptions = {}): Promise<TestDatabase> {
  const name = `test_${randomBytes(6).toString('hex')}`;
  const template = options.empty === true ? 'template0' : options.firm === true ? firmDatabase : templateDatabase;
  await asAdmin((admin) => createFrom(admin, name, template));
  const url = new URL(testAddress('THROUGHLINE_TEST_DATABASE_URL'));
  url.pathname = `/${name}`;
  const pool = createPool({ url: url.href, poolSize: options.poolSize ?? 10, statementTimeoutMs: 20_000 });
  const db = createDatabase(pool);
  return {
    db,
    pool,
    url: url.href,
    drop: async () => {
      await db.destroy();
      await asAdmin((admin) => admin.query(`drop database if exists ${name} with (force)`));
    },
  };
}

/** Copies of one template wait for each other on a lock, because Postgres refuses a template that another session is copying from. */
async function createFrom(admin: Client, name: string, template: string): Promise<void> {
  await admin.query('select pg_advisory_lock(7430199)');
  await admin.query(`create database ${name} template ${template}`);
  await admin.query('select pg_advisory_unlock(7430199)');
}

async function asAdmin<T>(work: (admin: Client) => Promise<T>): Promise<T> {
  const admin = new Client({ connectionString: testAddress('THROUGHLINE_TEST_DATABASE_URL') });
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.end();
  }
}
