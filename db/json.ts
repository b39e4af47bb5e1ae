import { type ColumnType } from 'kysely';

/** A jsonb column: read as parsed JSON of unknown shape, written as JSON text, so that an array is never taken for a Postgres array. */
export type JsonColumn = ColumnType<unknown, string, string>;
