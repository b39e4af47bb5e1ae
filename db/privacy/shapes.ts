import { sql, type Kysely } from 'kysely';
import { type DB } from '../types';

/** Of a table: the columns of its key in their order, and of each column whether it is a text, a document or bytes. */
export interface TableShape {
  readonly key: readonly string[];
  readonly types: Readonly<Record<string, 'text' | 'json' | 'bytes' | 'other'>>;
}

/** What the catalogue of the database says of some tables. */
export async function tableShapes(db: Kysely<DB>, tables: readonly string[]): Promise<Map<string, TableShape>> {
  const { rows } = await sql<{ name: string; key: string[]; types: TableShape['types'] }>`
    select c.relname as name,
           array(select a.attname::text from pg_index i
                   cross join lateral unnest(i.indkey) with ordinality as part (number, place)
                   join pg_attribute a on a.attrelid = c.oid and a.attnum = part.number
                  where i.indrelid = c.oid and i.indisprimary order by part.place) as key,
           (select jsonb_object_agg(a.attname, case when a.atttypid = 'bytea'::regtype then 'bytes'
                                                    when a.atttypid in ('json'::regtype, 'jsonb'::regtype) then 'json'
                                                    when a.atttypid = 'text'::regtype then 'text' else 'other' end)
              from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as types
      from pg_class c
     where c.relnamespace = 'public'::regnamespace and c.relname = any(${[...new Set(tables)]}::text[])`.execute(db);
  return new Map(rows.map(({ name, ...shape }) => [name, shape]));
}
