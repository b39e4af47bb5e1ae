import { type PoolClient, type QueryArrayResult, type QueryResult } from 'pg';

/** As many statements a connection keeps prepared; what comes after them is parsed each time. */
const MOST_NAMES = 800;
/** Statements over lists of any length, such as inserts of many rows, come in too many texts to keep. */
const MOST_VALUES = 50;

type Query = (text: unknown, values?: unknown, callback?: unknown) => unknown;
type Result = QueryResult | QueryArrayResult;

/**
 * Lets a connection prepare each text that has parameters once, under a name, so that Postgres parses and plans it once and not for every
 * call. After a migration changed what a statement gives back, Postgres refuses the prepared one: the connection then prepares all of them
 * anew. Alone, such a statement is sent again here; within a transaction the whole transaction has to be tried again (`isStalePlan`).
 */
export function prepareStatements(client: PoolClient): void {
  const send = client.query.bind(client) as Query;
  const names = new Map<string, string>();
  let generation = 0;
  let inTransaction = false;

  const nameOf = (text: string): string | undefined => {
    const known = names.get(text);
    if (known !== undefined || names.size >= MOST_NAMES) return known;
    const name = `s${generation}_${names.size}`;
    names.set(text, name);
    return name;
  };

  const prepared = async (text: string, values: readonly unknown[]): Promise<Result> => {
    const name = nameOf(text);
    try {
      return await (send(name === undefined ? { text, values } : { name, text, values }) as Promise<Result>);
    } catch (error) {
      if (!isStalePlan(error)) throw error;
      names.clear();
      generation += 1;
      if (inTransaction) throw error;
      return prepared(text, values);
    }
  };

  client.query = ((text: unknown, values?: unknown, callback?: unknown) => {
    if (typeof text !== 'string' || callback !== undefined) return send(text, values, callback);
    if (/^(begin|start transaction)\b/i.test(text)) inTransaction = true;
    if (/^(commit|rollback)$/i.test(text)) inTransaction = false;
    if (!Array.isArray(values) || values.length === 0 || values.length > MOST_VALUES) return send(text, values);
    return prepared(text, values);
  }) as PoolClient['query'];
}

/** Postgres refuses a prepared statement whose columns are others since a migration. */
export function isStalePlan(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === '0A000' && error.message.startsWith('cached plan must not change');
}
