import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Pool, type PoolClient } from 'pg';

/** One query of invariants.sql, or one breach of breaches.sql. */
interface Named {
  /** `I-05/item` */
  readonly name: string;
  readonly says: string;
  readonly text: string;
}

export interface CheckedInvariant {
  readonly name: string;
  readonly says: string;
  readonly lookedAt: number;
  readonly broken: number;
  readonly example: string | null;
}

export interface FoundBreach {
  readonly name: string;
  readonly says: string;
  readonly found: boolean;
}

const INVARIANTS = read('invariants.sql');
const BREACHES = read('breaches.sql');

/** Names of the invariants, and of those that the planted breaches break. */
export function invariantNames(of: 'invariants' | 'breaches'): string[] {
  return (of === 'invariants' ? INVARIANTS : BREACHES).map(({ name }) => name);
}

/** Every invariant, on what stands in the database. */
export async function checkInvariants(pool: Pool): Promise<CheckedInvariant[]> {
  const checked: CheckedInvariant[] = [];
  for (const invariant of INVARIANTS) checked.push(await check(pool, invariant));
  return checked;
}

/** Plants every breach, in a transaction that is taken back, and asks the query of its invariant. */
export async function plantBreaches(pool: Pool): Promise<FoundBreach[]> {
  const found: FoundBreach[] = [];
  const client = await pool.connect();
  try {
    for (const breach of BREACHES) found.push(await plant(client, breach));
  } finally {
    client.release(true);
  }
  return found;
}

async function plant(client: PoolClient, { name, says, text }: Named): Promise<FoundBreach> {
  const invariant = INVARIANTS.find((each) => each.name === name);
  if (invariant === undefined) throw new Error(`there is no invariant ${name}`);
  await client.query('begin');
  try {
    // Triggers and foreign keys would forbid most of them.
    await client.query('set local session_replication_role = replica');
    await client.query(text);
    return { name, says, found: (await check(client, invariant)).broken > 0 };
  } finally {
    await client.query('rollback');
  }
}

async function check(client: Pick<Pool, 'query'>, { name, says, text }: Named): Promise<CheckedInvariant> {
  const { rows } = await client.query<{ looked_at: number; broken: number; example: string | null }>(text);
  const [row] = rows;
  if (row === undefined) throw new Error(`${name} says nothing`);
  return { name, says, lookedAt: row.looked_at, broken: row.broken, example: row.example };
}

/** Blocks that begin with `-- I-…/name: what it says`. */
function read(file: string): Named[] {
  const blocks = readFileSync(join(__dirname, file), 'utf8').split(/^-- (?=I-\d\d\/)/m).slice(1); // prettier-ignore
  return blocks.map((block) => {
    const [head = '', ...lines] = block.split('\n');
    const colon = head.indexOf(':');
    return { name: head.slice(0, colon), says: head.slice(colon + 1).trim(), text: lines.join('\n') };
  });
}
