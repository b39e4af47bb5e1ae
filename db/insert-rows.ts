import { type Insertable, type Transaction } from 'kysely';
import { type DB } from './types';

/** Below the limit of a statement's parameters for every table of ours. */
const ROWS_AT_ONCE = 2_000;

/** Inserts any number of rows, in blocks. */
export async function insertRows<T extends keyof DB>(trx: Transaction<DB>, table: T, rows: readonly Insertable<DB[T]>[]): Promise<void> {
  for (let from = 0; from < rows.length; from += ROWS_AT_ONCE)
    await trx
      .insertInto(table)
      .values(rows.slice(from, from + ROWS_AT_ONCE))
      .execute();
}
