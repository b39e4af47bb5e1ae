import { sql } from 'kysely';
import { type Catalogue, registerFaults } from '../../domain/privacy/register';
import { testDatabase, type TestDatabase } from '../support/database';

describe('the register of personal data', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await testDatabase();
  });
  afterAll(() => database.drop());

  /** Every column of every table, and those that can hold a text: texts, lists of them, documents, bytes. */
  async function catalogue(): Promise<Catalogue> {
    const { rows } = await sql<{ column: string; holds_text: boolean }>`
      select format('%s.%s', c.relname, a.attname) as column,
             coalesce(nullif(t.typelem, 0), t.oid) in (select oid from pg_type where typcategory = 'S' or typname in ('json', 'jsonb', 'bytea', 'xml'))
               as holds_text
        from pg_attribute a
        join pg_class c on c.oid = a.attrelid
        join pg_type t on t.oid = a.atttypid
       where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and a.attnum > 0 and not a.attisdropped
         and c.relname !~ '^kysely_'
       order by 1`.execute(database.db);
    return { all: rows.map((row) => row.column), texts: rows.filter((row) => row.holds_text).map((row) => row.column) };
  }

  test('classifies every column that can hold a text, once, and none that there is not', async () => {
    const found = await catalogue();
    expect(found.texts.length).toBeGreaterThan(400);
    expect(registerFaults(found)).toEqual({ unclassified: [], vanished: [], twice: [] });
  });

  test('misses a new column, one that is gone, and nothing else', async () => {
    await sql`alter table person add column nickname text, drop column email`.execute(database.db);
    expect(registerFaults(await catalogue())).toEqual({ unclassified: ['person.nickname'], vanished: ['person.email'], twice: [] });
  });
});
