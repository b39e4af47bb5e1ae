import { type Kysely, type Transaction } from 'kysely';
import { type DB } from './types';

/** What was read of one revision of reference data. */
interface Kept {
  readonly revision: number;
  readonly values: Map<string, unknown>;
}

const ofDatabase = new WeakMap<Kysely<DB>, Kept>();
const ofReader = new WeakMap<Kysely<DB>, Kept>();

/**
 * Lets a transaction use what this process has read of reference data since its `revision` (`master_revision`, which every change of those
 * tables raises). For effects, none of which changes reference data.
 */
export function useKept(db: Kysely<DB>, reader: Transaction<DB> | Kysely<DB>, revision: number): void {
  let kept = ofDatabase.get(db);
  if (kept?.revision !== revision) {
    kept = { revision, values: new Map() };
    ofDatabase.set(db, kept);
  }
  ofReader.set(reader, kept);
}

/** The same for reads that are no effect: a reader of the database for what is asked now, which may use what is kept of the revision that stands. */
export async function keptReader(db: Kysely<DB>): Promise<Kysely<DB>> {
  const { revision } = await db.selectFrom('master_revision').select('revision').executeTakeFirstOrThrow();
  const reader = db.withoutPlugins();
  useKept(db, reader, revision);
  return reader;
}

/**
 * Reference data under a name: read once for a revision where the transaction may use what is kept, else read now. What is kept is frozen,
 * because many share it.
 */
export async function kept<T>(db: Kysely<DB>, name: string, read: () => Promise<T>): Promise<T> {
  const values = ofReader.get(db)?.values;
  if (values === undefined) return read();
  if (values.has(name)) return values.get(name) as T;
  const value = deepFrozen(await read());
  values.set(name, value);
  return value;
}

function deepFrozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  Object.values(value).forEach(deepFrozen);
  return Object.freeze(value);
}
