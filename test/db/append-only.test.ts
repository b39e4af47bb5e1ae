import { sql } from 'kysely';
import { testDatabase, type TestDatabase } from '../support/database';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.drop());

/** Tables whose rows cannot be changed or deleted, and what else of each is guarded. */
const guarded = async () =>
  (
    await sql<{ name: string; rows: boolean; whole: boolean }>`
      select tgrelid::regclass::text as name,
             bool_or((tgtype & 1) = 1 and (tgtype & 24) = 24) as rows,
             bool_or((tgtype & 1) = 0 and (tgtype & 32) = 32) as whole
        from pg_trigger where tgfoid = 'refuse_change'::regproc and tgenabled = 'O'
       group by tgrelid order by 1`.execute(database.db)
  ).rows;

const NAMED = [
  'approval_decision',
  'audit_anchor',
  'audit_anchor_head',
  'audit_entry',
  'contract_version',
  'effect',
  'journal_entry',
  'journal_line',
  'policy_version',
];

test('every append-only table is guarded against changed, deleted and all rows', async () => {
  const tables = await guarded();
  expect(tables.map((table) => table.name)).toEqual(expect.arrayContaining(NAMED));
  expect(tables.filter(({ rows, whole }) => !rows || !whole)).toEqual([]);
});

test('emptying an append-only table is refused, also where another table is emptied with it', async () => {
  for (const { name } of await guarded()) {
    await expect(sql`truncate ${sql.table(name)} cascade`.execute(database.db)).rejects.toMatchObject({
      code: '23000',
      message: expect.stringMatching(/is append-only$/) as string,
    });
  }
  await expect(sql`truncate deal cascade`.execute(database.db)).rejects.toThrow(/append-only/);
});
