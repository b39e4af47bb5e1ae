import { heldData, type HeldRow } from '../../db/privacy/held-data';
import { heldPerson, type HeldPerson } from '../../db/privacy/person';
import { nameOf } from '../../domain/privacy/entry';
import { REGISTER } from '../../domain/privacy/register';
import { testDatabase, type TestDatabase } from '../support/database';
import { PLANTED, plantEverywhere, type Planted } from '../support/planted-person';

describe('the export of what is held on a person', () => {
  let database: TestDatabase;
  let planted: Planted[];
  let person: HeldPerson;
  beforeAll(async () => {
    database = await testDatabase();
    planted = await plantEverywhere(database.db);
    person = (await heldPerson(database.db, PLANTED.userId))!;
  });
  afterAll(() => database.drop());

  async function exported(limit: number): Promise<HeldRow[]> {
    const rows: HeldRow[] = [];
    for (let after: readonly string[] | null = null; ;) {
      const page = await heldData(database.db, person, { limit, after });
      rows.push(...page.rows);
      if (page.next === null) return rows;
      after = page.next;
    }
  }

  test('finds the person by either id, with the words that name them', async () => {
    expect(person).toMatchObject({ userId: PLANTED.userId, personId: PLANTED.personId, words: [PLANTED.name, PLANTED.email] });
    expect(await heldPerson(database.db, PLANTED.personId)).toEqual(person);
    expect(await heldPerson(database.db, 'P-NOBODY')).toBeUndefined();
  });

  test('has every marker of every registered column', async () => {
    const rows = await exported(200);
    const missing = planted.flatMap(({ entry, markers }) => {
      const told = rows.filter((row) => row.table === entry.table).map((row) => JSON.stringify(row.personalData)).join(); // prettier-ignore
      return Object.entries(markers).flatMap(([column, marker]) => (told.includes(marker) ? [] : [`${nameOf(entry)}: ${column}`]));
    });
    expect(missing).toEqual([]);
    expect(new Set(rows.map(({ table }) => table))).toEqual(new Set(REGISTER.map(({ table }) => table)));
  });

  test('shows of documents only the places that name the person', async () => {
    const rows = await exported(200);
    expect(JSON.stringify(rows)).not.toContain('a third party');
  });

  test('is the same in small pages as in one', async () => {
    expect(await exported(3)).toEqual(await exported(200));
  });
});
