import { sql, type RawBuilder } from 'kysely';

/** An instant as ISO text in UTC, written by the database: for reads of so many rows that parsing each would tell. */
export function utc(column: string): RawBuilder<string> {
  return sql<string>`to_char(${sql.ref(column)} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
}
