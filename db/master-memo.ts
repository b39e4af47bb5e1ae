import { type Kysely, type Transaction } from 'kysely';
import { type DB } from './types';

/** What was read of one revision of reference data. */
interface Kept {
  readonly revision: number;
  readonly values: Map<string, unknown>;
}

const ofDatabase = new WeakMap<Kysely<DB>, Kept>();
const ofTransaction = new WeakMap<Kysely<DB>, Kept>();

/**
 * Lets a transaction use what this process has read of reference data since its `revision` (`master_revision`, which every change of those
 * tables raises). For effects, none of which changes reference data.
 */
export function useKept(db: Kysely<DB>, trx: Transaction<DB>, revision: number): void {
  let kept = ofDatabase.get(db);
  if (kept?.revision !== revision) {
    kept = { revision, values: new Map() };
    ofDatabase.set(db, kept);
  }
  ofTransaction.set(trx, kept);
}

/**
 * Reference data under a name: read once for a revision where the transaction may use what is kept, else read now. What is kept is frozen,
 * because many share it.
 */
export async function kept<T>(db: Kysely<DB>, name: string, read: () => Promise<T>): Promise<T> {
  const values = ofTransaction.get(db)?.values;
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
