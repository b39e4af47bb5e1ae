import { type Pool, type PoolClient } from 'pg';
import { entryHash } from '../../db/audit';

/** Changes rows as somebody with all rights of the database would: no trigger and no foreign key stands in the way. */
export async function tamper(pool: Pool, ...statements: readonly string[]): Promise<void> {
  await asSuperuser(pool, async (client) => {
    for (const statement of statements) await client.query(statement);
  });
}

interface Row {
  readonly stream: string;
  readonly sequence: number;
  readonly content: string;
  readonly previous_hash: string;
  readonly hash: string;
}

export interface Rewrite {
  readonly stream: string;
  readonly from: number;
  /** The last row that is written anew; default the last of the stream. */
  readonly until?: number;
  readonly content?: (content: string) => string;
  /** What the first of them follows; default what it followed. */
  readonly previousHash?: string;
}

/** Writes rows of a stream anew, each with a hash that fits its text and follows the one before; gives the last hash. */
export async function rewrite(
  pool: Pool,
  { stream, from, until = Infinity, content = (said) => said, previousHash }: Rewrite,
): Promise<string> {
  let previous = previousHash;
  await asSuperuser(pool, async (client) => {
    const { rows } = await client.query<Row>('select * from audit_entry where stream = $1 and sequence >= $2 order by sequence', [
      stream,
      from,
    ]);
    for (const row of rows.filter(({ sequence }) => sequence <= until)) {
      previous ??= row.previous_hash;
      const said = content(row.content);
      const hash = entryHash(previous, said);
      const values = [said, previous, hash, stream, row.sequence];
      await client.query('update audit_entry set content = $1, previous_hash = $2, hash = $3 where stream = $4 and sequence = $5', values);
      previous = hash;
    }
  });
  return previous ?? '';
}

/** Makes room for a row at a place by numbering those behind it anew. */
export const shifted = (stream: string, from: number, by: number): string[] => [
  `update audit_entry set sequence = -sequence where stream = '${stream}' and sequence >= ${from}`,
  `update audit_entry set sequence = -sequence + ${by} where stream = '${stream}' and sequence < 0`,
];

async function asSuperuser(pool: Pool, work: (client: PoolClient) => Promise<void>): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query('set session_replication_role = replica');
    await work(client);
  } finally {
    await client.query('set session_replication_role = default');
    client.release();
  }
}
