import { sql, type Insertable, type Transaction } from 'kysely';
import { type DB } from './types';

/** Rows per statement: Postgres takes at most 65,535 parameters. */
const BLOCK = 1_000;

/** Inserts rows, or makes the rows with the same key equal to them; columns that the rows do not name keep their values. */
export async function upsert<T extends keyof DB>(
  trx: Transaction<DB>,
  table: T,
  key: readonly (keyof DB[T] & string)[],
  rows: readonly Insertable<DB[T]>[],
): Promise<void> {
  for (let from = 0; from < rows.length; from += BLOCK) {
    const block = rows.slice(from, from + BLOCK) as readonly Record<string, unknown>[];
    const columns = Object.keys(block[0] ?? {});
    const changed = columns.filter((column) => !(key as readonly string[]).includes(column));
    const values = block.map((row) => sql`(${sql.join(columns.map((column) => sql`${row[column]}`))})`);
    const resolve =
      changed.length === 0
        ? sql`nothing`
        : sql`update set ${sql.join(changed.map((column) => sql`${sql.ref(column)} = excluded.${sql.ref(column)}`))}`;
    await sql`
      insert into ${sql.table(table)} (${sql.join(columns.map((column) => sql.ref(column)))}) values ${sql.join(values)}
      on conflict (${sql.join(key.map((column) => sql.ref(column)))}) do ${resolve}`.execute(trx);
  }
}
