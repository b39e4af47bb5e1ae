import { setTimeout as delay } from 'node:timers/promises';
import { Kysely, PostgresDialect } from 'kysely';
import { Pool, type PoolConfig, types } from 'pg';
import { type DB } from '../db/types';
import { prepareStatements } from './prepared-statements';

export interface PoolOptions {
  readonly url: string;
  readonly poolSize: number;
  readonly statementTimeoutMs: number;
  readonly applicationName?: string;
  /** The role that statements run as; the login has to be allowed to take it. Default is the login itself. */
  readonly role?: string;
  /** Told when an idle connection breaks (the database was stopped); the pool replaces it. */
  readonly onError?: (error: Error) => void;
}

/** Neither changes nor deletes what is kept, and empties nothing (R-241, ADR 0030). */
export const APPLICATION_ROLE = 'throughline_app';

/**
 * A pool whose values are plain: instants are ISO strings in UTC with `Z` and milliseconds, dates `YYYY-MM-DD`, numerics decimal strings,
 * bigints safe integers (a larger one throws). It survives a database that goes away (D18); the next query tells the caller.
 */
export function createPool(options: PoolOptions): Pool {
  const config: PoolConfig = {
    connectionString: options.url,
    max: options.poolSize,
    application_name: options.applicationName ?? 'throughline',
    connectionTimeoutMillis: 5000,
    statement_timeout: options.statementTimeoutMs,
    idle_in_transaction_session_timeout: Math.max(options.statementTimeoutMs, 30_000),
    keepAlive: true,
    options: ['-c timezone=UTC', ...(options.role === undefined ? [] : [`-c role=${options.role}`])].join(' '),
    types: { getTypeParser: plainParser },
  };
  const pool = new Pool(config);
  pool.on('error', (error) => options.onError?.(error));
  // The pool listens to idle connections only: one that breaks between two statements of a transaction would end the process.
  pool.on('connect', (client) => client.on('error', (error) => options.onError?.(error)));
  pool.on('connect', prepareStatements);
  return endingWhole(pool);
}

/**
 * A pool that has ended when its last connection is closed, or after a few seconds. Of itself it only begins to close them, and a database
 * that is stopped right afterwards breaks them.
 */
function endingWhole(pool: Pool): Pool {
  const open = new Set<Promise<void>>();
  pool.on('connect', (client) => {
    const closed = new Promise<void>((resolve) => client.once('end', resolve)).then(() => void open.delete(closed));
    open.add(closed);
  });
  const begin = pool.end.bind<() => Promise<void>>(pool);
  const end = async (): Promise<void> => {
    await begin();
    await Promise.race([Promise.all(open), delay(CLOSING_MS, undefined, { ref: false })]);
  };
  return Object.assign(pool, { end });
}

const CLOSING_MS = 5000;

/** Typed access to all tables over a pool. `destroy()` ends the pool. */
export function createDatabase(pool: Pool): Kysely<DB> {
  return new Kysely<DB>({ dialect: new PostgresDialect({ pool }) });
}

type Parse = (text: string) => unknown;

const { builtins } = types;
const asText: Parse = (text) => text;
const scalars = new Map<number, Parse>([
  [builtins.INT8, safeInteger],
  [builtins.NUMERIC, asText],
  [builtins.DATE, asText],
  [builtins.TIMESTAMP, asText],
  [builtins.TIMESTAMPTZ, instant],
  [builtins.INTERVAL, asText],
]);
const arrayOf = { _int8: 1016, _numeric: 1231, _date: 1182, _timestamp: 1115, _timestamptz: 1185 } as const;
const arrays = new Map<number, Parse>([
  [arrayOf._int8, safeInteger],
  [arrayOf._numeric, asText],
  [arrayOf._date, asText],
  [arrayOf._timestamp, asText],
  [arrayOf._timestamptz, instant],
]);

function plainParser(oid: number, format?: string): Parse {
  const scalar = scalars.get(oid);
  if (scalar !== undefined) return scalar;
  const element = arrays.get(oid);
  if (element !== undefined) return (text) => entriesOf(text).map((entry) => (entry === null ? null : element(entry)));
  return types.getTypeParser(oid, format as 'text') as Parse;
}

/** Entries of a one-dimensional array as Postgres wrote them. */
function entriesOf(text: string): (string | null)[] {
  const textArray = 1009 as Parameters<typeof types.getTypeParser>[0];
  return (types.getTypeParser(textArray, 'text') as (source: string) => (string | null)[])(text);
}

function safeInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`bigint ${text} does not fit into a safe integer`);
  return value;
}

function instant(text: string): string {
  const moment = new Date(text.replace(' ', 'T').replace(/([+-]\d\d)$/, '$1:00'));
  if (Number.isNaN(moment.getTime())) throw new RangeError(`timestamptz ${text} is not a moment`);
  return moment.toISOString();
}
