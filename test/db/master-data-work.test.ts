import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sql } from 'kysely';
import { describeMasterDataError } from '../../integrations/master-data/errors';
import { seedFolder } from '../../scripts/seed-folder';
import { testDatabase, type TestDatabase } from '../support/database';
import { referenceDealFolder, setInJson } from '../support/reference-deal';

/** Rates, uplifts, expense policies, labour rules, vendors and bookings of a firm's folder (S-04, S-05, S-20 to S-23). */
describe('master data about work', () => {
  let database: TestDatabase;
  let folder: string;
  beforeAll(async () => {
    database = await testDatabase();
  });
  afterAll(() => database.drop());
  beforeEach(() => {
    folder = referenceDealFolder(['L1', 'L2', 'L3', 'L4', 'L5', 'L6', 'L7']);
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const by = { at: '2026-01-01T00:00:00.000Z', actor: 'U-OPS' };
  const seed = () => seedFolder(database.db, folder, by);
  const loaded = async () => {
    const answer = await seed();
    if (!('counts' in answer)) throw new Error(answer.map(describeMasterDataError).join('\n'));
    return answer;
  };
  const faults = async (): Promise<string[]> => {
    const answer = await seed();
    if ('counts' in answer) throw new Error('was loaded');
    return answer.map(describeMasterDataError);
  };
  const edit = (file: string, change: (text: string) => string) =>
    writeFileSync(join(folder, file), change(readFileSync(join(folder, file), 'utf8')));
  const add = (file: string, ...rows: string[]) => appendFileSync(join(folder, file), rows.map((row) => `${row}\n`).join(''));
  const count = async (table: string) =>
    (await sql<{ n: number }>`select count(*) as n from ${sql.table(table)}`.execute(database.db)).rows[0]?.n;

  test('is loaded with exact rates, limits in minor units and people as they are employed', async () => {
    const rows = (file: string) => readFileSync(join(folder, file), 'utf8').trimEnd().split('\n').length - 1;
    expect((await loaded()).counts).toMatchObject({
      rates: rows('rate-cards.csv'),
      uplifts: rows('uplifts.csv'),
      expensePolicies: rows('expense-policies.csv'),
      bookings: rows('bookings.csv'),
      labourRules: 7,
      vendors: 5,
    });
    const { db } = database;
    expect(await count('rate')).toBe(rows('rate-cards.csv'));
    expect(await db.selectFrom('rate').selectAll().where('id', '=', 'R-0001').executeTakeFirst()).toMatchObject({
      card_id: 'RC-GLOBAL',
      card_version: '1',
      scope: 'global',
      scope_id: null,
      role_code: 'PRN',
      person_id: null,
      rate: '310',
      valid_to: '2027-12-31',
    });
    const policy = (id: string) => db.selectFrom('expense_policy').selectAll().where('id', '=', id).executeTakeFirst();
    expect(await policy('EP-US-hotel')).toMatchObject({ limit_per_unit_minor: 26_000, fixed_rate: null, receipt_above_minor: 0 });
    expect(await policy('EP-JP-hotel')).toMatchObject({ limit_per_unit_minor: 18_000 });
    expect(await policy('EP-US-mileage')).toMatchObject({ limit_per_unit_minor: null, fixed_rate: '0.7', receipt_above_minor: null });
    expect(await db.selectFrom('labour_rule').selectAll().where('id', '=', 'LR-DE').executeTakeFirst()).toMatchObject({
      applies_to: ['DE'],
      daily_max_hours: '10',
      weekly_average_max_hours: '48',
      reference_weeks: 24,
      other: { sundayWork: 'forbidden-unless-approved' },
    });
    expect(await db.selectFrom('person').selectAll().where('id', '=', 'P-040').executeTakeFirst()).toMatchObject({
      employment: 'contractor',
      vendor_id: 'V-01',
    });
    expect(
      await db.selectFrom('person').select(['weekly_norm_hours', 'managed_by_entity_id']).where('id', '=', 'P-001').executeTakeFirst(),
    ).toEqual({ weekly_norm_hours: '40', managed_by_entity_id: 'LE-US' });
    const required = await db.selectFrom('required_vendor_document').select('document_type').where('country', '=', 'GB').execute();
    expect(required).toHaveLength(5);
    expect(await db.selectFrom('booking').selectAll().where('id', '=', 'B-0053').executeTakeFirst()).toMatchObject({
      kind: 'long_leave',
      project_code: null,
      hours_per_day: '7',
    });
  });

  test('again changes nothing; a changed row is changed and on record, a new one added, one that is gone stays', async () => {
    await loaded();
    const tables = ['rate', 'rate_card', 'uplift', 'expense_policy', 'labour_rule', 'vendor', 'vendor_document', 'booking', 'person'];
    const versions = async () =>
      Promise.all(
        tables
          .filter((table) => table !== 'person')
          .map(async (table) => (await sql`select xmin::text from ${sql.table(table)} order by 1`.execute(database.db)).rows),
      );
    const before = await versions();
    const again = await loaded();
    expect(Object.values(again.changes).flatMap(({ added, changed }) => [added, ...changed])).toEqual(
      Object.keys(again.changes).map(() => 0),
    );
    expect(await versions()).toEqual(before);

    edit('rate-cards.csv', (text) => text.replace('hour,310.00,', 'hour,315.50,').replace(/^R-0002,.*\n/m, ''));
    add('rate-cards.csv', 'R-NEW,RC-GLOBAL,1,global,,USD,PRN,NA,,,P-001,hour,400.00,2026-01-01,,agreed by hand');
    expect((await loaded()).changes).toMatchObject({ rate: { added: 1, changed: ['R-0001'] }, booking: { added: 0, changed: [] } });
    const rates = await database.db
      .selectFrom('rate')
      .select(['id', 'rate'])
      .where('id', 'in', ['R-0001', 'R-0002', 'R-NEW'])
      .orderBy('id')
      .execute();
    expect(rates).toEqual([
      { id: 'R-0001', rate: '315.5' },
      { id: 'R-0002', rate: '245' },
      { id: 'R-NEW', rate: '400' },
    ]);
    const last = await database.db
      .selectFrom('audit_entry')
      .select('content')
      .where('stream', '=', 'master-data')
      .orderBy('sequence', 'desc')
      .limit(1)
      .executeTakeFirstOrThrow();
    expect(JSON.parse(last.content)).toMatchObject({ details: { changes: { rate: { added: 1, changed: 1, ids: ['R-0001'] } } } });
  });

  test('by a person keeps which rates and vendors that person changed, and whether users or their roles', async () => {
    await loaded();
    const load = () => seedFolder(database.db, folder, { ...by, actor: 'U-CFO' });
    const kept = async () => (await database.db.selectFrom('performed_duty').selectAll().orderBy('duty').execute()).map((row) => `${row.done_by} ${row.duty} ${row.subject_id}`); // prettier-ignore
    await load();
    expect(await kept()).toEqual([]);
    edit('rate-cards.csv', (text) => text.replace('hour,310.00,', 'hour,315.50,'));
    edit('vendors.json', (text) => text.replace(/"paymentTermsDays": \d+/, '"paymentTermsDays": 77'));
    await load();
    expect(await kept()).toEqual(['U-CFO rate-card.edit R-0001', 'U-CFO vendor.onboard V-01']);
    edit('users.json', (text) => text.replace('"procurement-lead"', '"procurement-lead", "cfo"'));
    await load();
    await load();
    expect(await kept()).toEqual(['U-CFO rate-card.edit R-0001', 'U-CFO user.administer users', 'U-CFO vendor.onboard V-01']);
  });

  test('that the folder leaves out changes nothing', async () => {
    await loaded();
    const before = await count('rate');
    for (const file of ['rate-cards.csv', 'uplifts.csv', 'expense-policies.csv', 'labour-rules.json', 'bookings.csv'])
      rmSync(join(folder, file));
    expect((await loaded()).counts).toMatchObject({ rates: 0, bookings: 0 });
    expect(await count('rate')).toBe(before);
  });

  test.each([
    [
      'a rate on the day of another of the same selectors',
      'rate-cards.csv',
      'R-X,RC-GLOBAL,1,global,,USD,PRN,NA,,,,hour,1.00,2027-12-31,,',
      'overlaps another rate of the same scope and selectors',
    ],
    [
      'a rate of nobody',
      'rate-cards.csv',
      'R-X,RC-GLOBAL,1,global,,USD,PRN,NA,,,P-X,hour,1.00,2030-01-01,,',
      'person_id: P-X is no person',
    ],
    ['a rate of no role', 'rate-cards.csv', 'R-X,RC-GLOBAL,1,global,,USD,XXX,NA,,,,hour,1.00,2030-01-01,,', 'role_code: XXX is no role'],
    [
      'a card of two scopes',
      'rate-cards.csv',
      'R-X,RC-GLOBAL,1,entity,LE-US,USD,PRN,NA,,,,hour,1.00,2026-01-01,,',
      'scope_id: card RC-GLOBAL version 1 has another scope before',
    ],
    [
      'a scope without what it is about',
      'rate-cards.csv',
      'R-X,RC-X,1,customer,,USD,PRN,NA,,,,hour,1.00,2026-01-01,,',
      'scope_id: names what the scope is about',
    ],
    ['a negative rate', 'rate-cards.csv', 'R-X,RC-GLOBAL,1,global,,USD,PRN,NA,,,,hour,-1.00,2030-01-01,,', 'rate: must be a plain decimal'],
    [
      'a rate that ends first',
      'rate-cards.csv',
      'R-X,RC-GLOBAL,1,global,,USD,PRN,NA,,,,hour,1,2030-01-02,2030-01-01,',
      'valid_to: ends before it begins',
    ],
    [
      'a rate in no currency',
      'rate-cards.csv',
      'R-X,RC-GLOBAL,1,global,,XXD,PRN,NA,,,,hour,1,2030-01-02,,',
      'currency: must be an ISO 4217 currency',
    ],
    [
      'a rate that stands twice',
      'rate-cards.csv',
      'R-0001,RC-GLOBAL,1,global,,USD,PRN,NA,,,,hour,1,2030-01-02,,',
      'rate_id: R-0001 stands twice',
    ],
    ['two uplifts of one kind', 'uplifts.csv', 'L2,overtime,20,2026-06-01,', 'valid_from: overlaps another uplift'],
    [
      'two policies of one category',
      'expense-policies.csv',
      'EP-X,US,hotel,USD,night,1,,0,Y,2026-06-01,,',
      'valid_from: overlaps another policy',
    ],
    [
      'a limit finer than the currency',
      'expense-policies.csv',
      'EP-X,JP,boat,JPY,item,1.5,,0,Y,2026-06-01,,',
      'limit_per_unit: 1.5 has more than 0 decimals',
    ],
    [
      'a limit and a fixed rate',
      'expense-policies.csv',
      'EP-X,JP,boat,JPY,item,15,3,0,Y,2026-06-01,,',
      'fixed_rate: a category has a limit or a fixed rate',
    ],
    [
      'a booking of nobody',
      'bookings.csv',
      'B-X,P-X,leave,,,firm,2026-01-01,2026-01-02,8,US,2026-01-01T00:00:00Z,',
      'person_id: P-X is no person',
    ],
    [
      'a booking for no project',
      'bookings.csv',
      'B-X,P-001,project,,,firm,2026-01-01,2026-01-02,8,US,,',
      'project: a project booking names its project',
    ],
    [
      'a booking of 25 hours a day',
      'bookings.csv',
      'B-X,P-001,leave,,,firm,2026-01-01,2026-01-02,25,US,,',
      'hours_per_day: must be at most 24',
    ],
    ['a date that does not exist', 'bookings.csv', 'B-X,P-001,leave,,,firm,2026-02-29,2026-03-02,8,US,,', 'start_date: '],
  ])('with %s is refused with file, line and column', async (_what, file, row, expected) => {
    const line = readFileSync(join(folder, file), 'utf8').trimEnd().split('\n').length + 1;
    add(file, row);
    const found = await faults();
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(`${file}:${line} `);
    expect(found[0]).toContain(expected);
  });

  test.each([
    [
      'a vendor of somebody who comes from another',
      '/vendors/0/people/0',
      'P-042',
      'vendors.json /vendors/0/people/0: P-042 comes from V-02 in people.csv',
    ],
    [
      'a document that ends first',
      '/vendors/0/complianceDocuments/0/validUntil',
      '2020-01-01',
      '/vendors/0/complianceDocuments/0/validUntil: ends before it begins',
    ],
    ['two vendors of one id', '/vendors/1/id', 'V-01', 'vendors.json /vendors: V-01 stands twice'],
  ])('with %s is refused', async (_what, pointer, value, expected) => {
    setInJson(folder, 'vendors.json', pointer, value);
    expect((await faults()).join('\n')).toContain(expected);
  });

  test('with a country under two labour rules, or an average without its window, is refused', async () => {
    setInJson(folder, 'labour-rules.json', '/rules/0/appliesTo', ['DE']);
    expect(await faults()).toEqual(['labour-rules.json /rules/*/appliesTo: DE stands twice']);
    setInJson(folder, 'labour-rules.json', '/rules/0/referenceWeeks', null);
    expect((await faults()).join('\n')).toContain('/rules/0/referenceWeeks: belongs to an average limit');
  });

  test('with another separator, a column too few or one twice is refused once, by its header', async () => {
    edit('uplifts.csv', (text) => text.replaceAll(',', ';'));
    edit('bookings.csv', (text) => text.replace('person_id', 'person'));
    edit('expense-policies.csv', (text) => text.replace('country', 'category'));
    const found = await faults();
    expect(found).toContain(
      'uplifts.csv:1 line_id: the only column is line_id;kind;percent;valid_from;valid_to: are the cells separated by commas?',
    );
    expect(found).toContain('bookings.csv:1 person_id: the column is missing');
    expect(found).toContain('expense-policies.csv:1 category: the column stands twice');
    expect(found.filter((fault) => !/:1 /.test(fault))).toEqual([]);
  });

  test('with a rate on the day of one that stays from an earlier load is refused whole', async () => {
    await loaded();
    edit('rate-cards.csv', (text) => text.replace(/^R-0003,/m, 'R-OTHER,').replace('hour,310.00,', 'hour,999.00,'));
    expect(await faults()).toEqual([expect.stringContaining('MasterDataInvalid: two rows of rate hold on the same days')]);
    const kept = await database.db.selectFrom('rate').select('rate').where('id', '=', 'R-0001').executeTakeFirst();
    expect(kept?.rate).not.toBe('999');
  });
});
