import { sql, type Insertable, type Transaction } from 'kysely';
import { type DB } from './types';

/** What a load changed in one table, by id; the audit entry of the load says it. `touched` are the added and the changed ones. */
export interface TableChanges {
  readonly added: number;
  readonly changed: readonly string[];
  readonly touched: readonly string[];
}

/** Rows per statement: Postgres takes at most 65,535 parameters. */
const BLOCK = 1_000;
/** More ids than a person reads are counted only. */
const NAMED = 50;

/** Inserts rows, or makes those with the same key equal to them where they differ; rows that are not named stay. Again changes nothing. */
export async function bring<T extends keyof DB>(
  trx: Transaction<DB>,
  table: T,
  key: readonly (keyof DB[T] & string)[],
  rows: readonly Insertable<DB[T]>[],
): Promise<TableChanges> {
  let added = 0;
  const changed: string[] = [];
  const touched: string[] = [];
  for (let from = 0; from < rows.length; from += BLOCK) {
    const block = rows.slice(from, from + BLOCK) as readonly Record<string, unknown>[];
    const columns = Object.keys(block[0] ?? {});
    const others = columns.filter((column) => !(key as readonly string[]).includes(column));
    const refs = (names: readonly string[], of = '') => sql.join(names.map((name) => sql.ref(of === '' ? name : `${of}.${name}`)));
    const values = block.map((row) => sql`(${sql.join(columns.map((column) => sql`${row[column]}`))})`);
    const resolve =
      others.length === 0
        ? sql`nothing`
        : sql`update set ${sql.join(others.map((column) => sql`${sql.ref(column)} = excluded.${sql.ref(column)}`))}
              where (${refs(others, table)}) is distinct from (${refs(others, 'excluded')})`;
    const { rows: found } = await sql<{ id: string; added: boolean }>`
      insert into ${sql.table(table)} (${refs(columns)}) values ${sql.join(values)}
      on conflict (${refs(key)}) do ${resolve}
      returning concat_ws(' ', ${refs(key)}) as id, xmax = 0 as added`.execute(trx);
    added += found.filter((row) => row.added).length;
    changed.push(...found.filter((row) => !row.added).map((row) => row.id));
    touched.push(...found.map((row) => row.id));
  }
  return { added, changed, touched };
}

/** The changes of several tables as the audit entry states them; tables without any are left out. */
export function changesForAudit(changes: Readonly<Record<string, TableChanges>>): Record<string, unknown> {
  const moved = Object.entries(changes).filter(([, { added, changed }]) => added + changed.length > 0);
  return Object.fromEntries(
    moved.map(([table, { added, changed }]) => [
      table,
      { added, changed: changed.length, ids: changed.slice(0, NAMED), ...(changed.length > NAMED ? { more: changed.length - NAMED } : {}) },
    ]),
  );
}
