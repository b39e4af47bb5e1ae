import { sql, type Kysely } from 'kysely';
import { type DB } from '../../db/types';

/** One row in one commit, the second time nothing. */
export const INSERT_ROW = {
  name: 'insert-bare-row',
  text: 'insert into bench_row (name, role, step, amount) values ($1, $2, $3, 125.5) on conflict do nothing',
} as const;

/** The table of the bare workflows: what a commit of theirs writes. */
export async function createBareTable(db: Kysely<DB>): Promise<void> {
  await sql`
    create table if not exists bench_row (name text, role text, step int, amount numeric(18, 2) not null, at timestamptz not null default now(),
                            primary key (name, role, step))`.execute(db);
}

export async function insertRow(db: Kysely<DB>, name: string, role: string, step: number): Promise<void> {
  await sql`insert into bench_row (name, role, step, amount) values (${name}, ${role}, ${step}, 125.5) on conflict do nothing`.execute(db);
}

/** How often each run of some lifecycles has committed, by `name/role`. */
export async function commitsOf(db: Kysely<DB>, names: readonly string[]): Promise<ReadonlyMap<string, number>> {
  const { rows } = await sql<{ run: string; commits: number }>`
    select name || '/' || role as run, count(*)::int as commits from bench_row where name = any(${names}) group by 1`.execute(db);
  return new Map(rows.map(({ run, commits }) => [run, commits]));
}

/** Rows that woken runs have written beyond their scripts. */
export async function wakesOf(db: Kysely<DB>): Promise<number> {
  const { rows } = await sql<{ count: number }>`select count(*)::int as count from bench_row where role like '%/wake'`.execute(db);
  return rows[0]?.count ?? 0;
}
