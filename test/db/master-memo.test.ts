import { sql } from 'kysely';
import { effectOnce } from '../../activities/effect-once';
import { calendarOf } from '../../db/parties';
import { policyAt } from '../../db/policies';
import { type TestDatabase, testDatabase } from '../support/database';

let test: TestDatabase;
beforeAll(async () => {
  test = await testDatabase({ firm: true });
});
afterAll(() => test.drop());

let effects = 0;
/** What an effect reads. */
async function inEffect<T>(read: (trx: TestDatabase['db']) => Promise<T>): Promise<T> {
  effects += 1;
  const context = { key: `memo/${effects}`, identity: null, at: '2026-03-02T09:00:00.000Z', actor: 'U-FC' };
  let found: T | undefined;
  await effectOnce(test.db, context, async (trx) => {
    found = await read(trx);
    return { answer: null, audit: { stream: 's', action: 'read', subject: 'n' } };
  });
  return found as T;
}

const calendar = () => inEffect((trx) => calendarOf(trx, 'CAL-DE-HE'));
const addHoliday = (date: string) =>
  sql`insert into calendar_holiday (calendar_id, date, name) values ('CAL-DE-HE', ${date}, 'a day off')`.execute(test.db);

describe('reference data that effects read', () => {
  it('is read once and shared, frozen, until it changes; then the next effect sees the change', async () => {
    const first = await calendar();
    expect(await calendar()).toBe(first);
    expect(() => (first.holidays as string[]).push('2026-12-31')).toThrow(TypeError);
    await addHoliday('2027-08-16');
    const next = await calendar();
    expect(next).not.toBe(first);
    expect(next.holidays).toContain('2027-08-16');
  });

  it('is seen as it was by an effect that had begun, and as it is by the one after it', async () => {
    await calendar();
    await inEffect(async (trx) => {
      await addHoliday('2027-08-17');
      expect((await calendarOf(trx, 'CAL-DE-HE')).holidays).not.toContain('2027-08-17');
    });
    expect((await calendar()).holidays).toContain('2027-08-17');
  });

  it('that a change was rolled back for stays as it is', async () => {
    const before = await calendar();
    await test.db
      .transaction()
      .execute(async (trx) => {
        await sql`delete from calendar_holiday where calendar_id = 'CAL-DE-HE'`.execute(trx);
        throw new Error('rolled back');
      })
      .catch(() => undefined);
    expect(await calendar()).toEqual(before);
  });

  it('outside an effect is always read as it is now', async () => {
    await calendar();
    await addHoliday('2027-08-18');
    expect((await calendarOf(test.db, 'CAL-DE-HE')).holidays).toContain('2027-08-18');
  });

  it('gives the policy in force on a date, also where a later version was added', async () => {
    const at = (date: string) => inEffect((trx) => policyAt(trx, 'closing', date));
    const now = await at('2026-06-30');
    await sql`
      insert into policy_version (id, kind, version, valid_from, body, body_hash)
      select gen_random_uuid(), kind, version + 1, date '2027-01-01', body, body_hash from policy_version where kind = 'closing'`.execute(
      test.db,
    );
    expect(await at('2026-06-30')).toEqual(now);
    expect((await at('2027-01-01'))?.version).toBe((now?.version ?? 0) + 1);
  });

  it.each([
    'calendar',
    'calendar_holiday',
    'legal_entity',
    'bill_to_account',
    'app_user',
    'role_assignment',
    'committee_member',
    'tax_rate',
  ])('in %s raises the revision with every change', async (table) => {
    const revision = async () => (await test.db.selectFrom('master_revision').select('revision').executeTakeFirstOrThrow()).revision;
    const before = await revision();
    await sql`update ${sql.table(table)} set ${sql.ref(await anyColumn(table))} = ${sql.ref(await anyColumn(table))}`.execute(test.db);
    expect(await revision()).toBe(before + 1);
  });
});

async function anyColumn(table: string): Promise<string> {
  const { rows } = await sql<{ name: string }>`
    select attname as name from pg_attribute where attrelid = ${table}::regclass and attnum > 0 order by attnum desc limit 1`.execute(
    test.db,
  );
  return rows[0]?.name ?? '';
}
