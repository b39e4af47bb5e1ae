import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Kysely, type Migration, type MigrationProvider, Migrator, sql } from 'kysely';
import { OperatorError } from './operator-error';

export interface MigrationState {
  readonly applied: readonly string[];
  readonly pending: readonly string[];
  /** Applied to this database, but unknown to this program: the program is older than its database. */
  readonly unknown: readonly string[];
}

export const migrationsFolder = resolve(__dirname, '..', 'migrations');

/**
 * Applies what is pending, each file in a transaction of its own, and returns the names. Of two concurrent runs one applies
 * while the other waits. Throws at the first file that fails; those before it stay applied.
 */
export async function migrateToLatest<T>(db: Kysely<T>, folder: string = migrationsFolder): Promise<string[]> {
  const migrator = migratorOf(db, folder);
  const applied: string[] = [];
  for (;;) {
    const { error, results = [] } = await migrator.migrateUp();
    if (error !== undefined) {
      const failed = results.find(({ status }) => status === 'Error')?.migrationName;
      const reason = error instanceof Error ? error.message : JSON.stringify(error);
      throw new Error(failed === undefined ? `Migrating failed: ${reason}` : `Migration ${failed} failed: ${reason}`, { cause: error });
    }
    if (results.length === 0) break;
    applied.push(...results.map(({ migrationName }) => migrationName));
  }
  if (applied.length > 0) await grantRights(db);
  return applied;
}

/** The role of the product gets its rights to the tables that were made, by what guards them. */
async function grantRights<T>(db: Kysely<T>): Promise<void> {
  const { rows } = await sql<{ known: boolean }>`select to_regproc('grant_application_rights') is not null as known`.execute(db);
  if (rows[0]?.known === true) await sql`select grant_application_rights()`.execute(db);
}

/** Names of the migrations that this database still lacks. The product refuses to start while there are any. */
export async function pendingMigrations<T>(db: Kysely<T>, folder: string = migrationsFolder): Promise<string[]> {
  return [...(await migrationState(db, folder)).pending];
}

/** What is applied, pending, and applied by a newer program. Writes nothing. */
export async function migrationState<T>(db: Kysely<T>, folder: string = migrationsFolder): Promise<MigrationState> {
  const known = Object.keys(readMigrations(folder)).sort();
  const table = await sql<{ found: string | null }>`select to_regclass('kysely_migration')::text as found`.execute(db);
  const hasTable = (table.rows[0]?.found ?? null) !== null;
  const rows = hasTable ? (await sql<{ name: string }>`select name from kysely_migration order by name`.execute(db)).rows : [];
  const applied = rows.map(({ name }) => name);
  return {
    applied,
    pending: known.filter((name) => !applied.includes(name)),
    unknown: applied.filter((name) => !known.includes(name)),
  };
}

/** Thrown when a program meets a database whose migrations do not match it. */
export class MigrationsPendingError extends OperatorError {
  override readonly name = 'MigrationsPendingError';
  override readonly exitCode = 3;
}

/** The gate before a program serves: throws `MigrationsPendingError` unless every migration is applied. */
export async function requireMigrated<T>(db: Kysely<T>, folder: string = migrationsFolder): Promise<void> {
  const { pending } = await migrationState(db, folder);
  if (pending.length === 0) return;
  throw new MigrationsPendingError(`The database lacks ${pending.length} migration(s): ${pending.join(', ')}. Run npm run migrate first.`);
}

function migratorOf<T>(db: Kysely<T>, folder: string): Migrator {
  const provider: MigrationProvider = { getMigrations: () => Promise.resolve(readMigrations(folder)) };
  return new Migrator({ db, provider });
}

function readMigrations(folder: string): Record<string, Migration> {
  const files = readdirSync(folder).filter((file) => file.endsWith('.sql'));
  const numbers = new Set<string>();
  const migrations = files.sort().map((file): [string, Migration] => {
    const number = /^(\d{4})_[a-z0-9_]+\.sql$/.exec(file)?.[1];
    if (number === undefined) throw new Error(`${file} is not named like 0001_what_it_does.sql`);
    if (numbers.has(number)) throw new Error(`There are two migrations ${number}`);
    numbers.add(number);
    return [file.slice(0, -'.sql'.length), sqlMigration(join(folder, file))];
  });
  return Object.fromEntries(migrations);
}

function sqlMigration(path: string): Migration {
  return {
    up: async (db) => {
      await sql`set local statement_timeout = 0`.execute(db);
      await sql.raw(readFileSync(path, 'utf8')).execute(db);
    },
  };
}
