import { sql, type Insertable, type Transaction } from 'kysely';
import { type DB } from './types';

const ROWS_AT_ONCE = 10_000;

/** Inserts any number of rows, in blocks; each row names the same columns, and its values are plain JSON. */
export async function insertRows<T extends keyof DB>(trx: Transaction<DB>, table: T, rows: readonly Insertable<DB[T]>[]): Promise<void> {
  const [first] = rows;
  if (first === undefined) return;
  const columns = sql.join(Object.keys(first).map((column) => sql.ref(column)));
  for (let from = 0; from < rows.length; from += ROWS_AT_ONCE) {
    const block = JSON.stringify(rows.slice(from, from + ROWS_AT_ONCE));
    await sql`insert into ${sql.table(table)} (${columns})
      select ${columns} from json_populate_recordset(null::${sql.table(table)}, ${block}::json)`.execute(trx);
  }
}
