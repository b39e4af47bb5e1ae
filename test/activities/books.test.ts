import { type Kysely } from 'kysely';
import { uuidv7 } from 'uuidv7';
import { verifyBooks } from '../../db/books/verify';
import { postEntry } from '../../db/journal';
import { readTrialBalance } from '../../db/reads/books';
import { type DB } from '../../db/types';
import { monthsBetween } from '../../domain/calendar/dates';
import { STARTED, keepBooks, revenueOf, soldLines } from '../support/books';
import { testDatabase, type TestDatabase } from '../support/database';
import { milestones, service } from '../support/lifecycles';

let database: TestDatabase;
let db: Kysely<DB>;
beforeAll(async () => {
  database = await testDatabase({ firm: true, poolSize: 24 });
  db = database.db;
});
afterAll(() => database.drop());

const periods = (entityId: string) =>
  db.selectFrom('accounting_period').select(['period', 'state']).where('entity_id', '=', entityId).orderBy('period').execute();

test('a fee by day is recognised month by month, shown as contract asset, and each month closes once', async () => {
  const lines = await soldLines(db, [service({ endDate: '2026-05-31' })]);
  const line = lines.get('B') ?? '';
  await keepBooks(db, 'LE-DE', '2026-04-10T00:00:00.000Z');
  // 40,000.00 over 120 days: 28, 59 days passed.
  expect(await revenueOf(db, line)).toEqual([
    ['2026-02', '2026-02', 933_333],
    ['2026-03', '2026-03', 1_033_334],
  ]);
  expect(await periods('LE-DE')).toEqual([
    { period: '2026-01', state: 'closed' },
    { period: '2026-02', state: 'closed' },
    { period: '2026-03', state: 'soft-closed' },
    { period: '2026-04', state: 'open' },
  ]);
  const balance = await db.selectFrom('contract_balance').selectAll().where('contract_line_id', '=', line).orderBy('month').execute();
  expect(balance.map((row) => [row.month, Number(row.contract_asset_minor), Number(row.contract_liability_minor)])).toEqual([
    ['2026-01', 0, 0],
    ['2026-02', 933_333, 0],
    ['2026-03', 1_966_667, 0],
  ]);
});

test('a line without an estimate recognises nothing and asks its project manager for one', async () => {
  const lines = await soldLines(db, [milestones({ revenueMethod: 'cost-to-cost', endDate: '2026-04-30' })], STARTED);
  const books = await keepBooks(db, 'LE-US', '2026-03-20T00:00:00.000Z');
  expect(await revenueOf(db, lines.get('A') ?? '')).toEqual([]);
  expect(books.waits.map(({ kind, role }) => [kind, role])).toContainEqual(['revenue-gap', 'project-manager']);
});

/** What the forecast of a line is; stated in time for its month. */
const forecast = (contractLineId: string, asOf: string, toComplete: string) =>
  db
    .insertInto('cost_forecast')
    .values({
      contract_line_id: contractLineId,
      as_of: asOf,
      measure: 'cost',
      estimate_to_complete: toComplete,
      currency: 'USD',
      stated_by: 'U-PM-US',
      stated_at: `${asOf}T12:00:00Z`,
    }) // prettier-ignore
    .execute();

/** A task of the line to work on, and work on it. */
async function work(
  contractLineId: string,
  entries: readonly { id: string; on: string; hours: string; approvedAt: string; submittedAt?: string }[],
) {
  const deal = await db.selectFrom('contract_line').select('deal_id').where('id', '=', contractLineId).executeTakeFirstOrThrow();
  const task = await db
    .selectFrom('work_task')
    .innerJoin('project', 'project.id', 'work_task.project_id')
    .select('work_task.id')
    .where('project.deal_id', '=', deal.deal_id)
    .executeTakeFirstOrThrow();
  await db
    .insertInto('time_entry')
    .values(
      entries.map(({ id, on, hours, approvedAt, submittedAt = approvedAt }) => ({
        entry_id: id,
        contract_line_id: contractLineId,
        person_id: 'P-BOOKS',
        work_task_id: task.id,
        role_code: 'SC',
        work_date: on,
        hour_type: 'regular',
        hours,
        work_country: 'US',
        onsite: false,
        billable: true,
        rework: false,
        status: 'approved',
        submitted_at: submittedAt,
        approved_at: approvedAt,
        approved_by: 'U-PM-US',
      })),
    )
    .execute();
}

describe('percent complete of a line at 100.00 an hour', () => {
  let line: string;
  beforeAll(async () => {
    const calendar = await db.selectFrom('calendar').select('id').limit(1).executeTakeFirstOrThrow();
    await db.insertInto('person').values({ id: 'P-BOOKS', name: 'N', email: 'n@firm.example', employment: 'employee', country: 'US', calendar_id: calendar.id, role_code: 'SC' }).execute(); // prettier-ignore
    await db
      .insertInto('cost_rate')
      .values({ person_id: 'P-BOOKS', currency: 'USD', rate_per_hour: '100', valid_from: '2026-01-01' })
      .execute();
    line = (await soldLines(db, [milestones({ lineId: 'PC', revenueMethod: 'cost-to-cost', endDate: '2026-06-30' })], STARTED, 1)).get('PC') ?? ''; // prettier-ignore
  });

  test('what is approved after the cut-off of its month is caught up in the month then open and names its own; a closed month stays as it is', async () => {
    await forecast(line, '2026-04-30', '9000');
    await forecast(line, '2026-05-31', '8000');
    await work(line, [
      { id: 'PC-1', on: '2026-04-10', hours: '8', approvedAt: '2026-04-20T10:00:00Z' },
      { id: 'PC-1-again', on: '2026-04-10', hours: '8', approvedAt: '2026-04-21T10:00:00Z' },
      { id: 'PC-2', on: '2026-04-11', hours: '2', approvedAt: '2026-05-06T12:00:00Z' },
      { id: 'PC-3', on: '2026-05-11', hours: '8', approvedAt: '2026-05-12T12:00:00Z' },
    ]);
    await keepBooks(db, 'LE-US', '2026-05-20T00:00:00.000Z');
    // 800 of 9,800 of 100,000.00; what was approved after the cut-off and what was handed in twice does not count.
    expect(await revenueOf(db, line)).toEqual([['2026-04', '2026-04', 816_327]]);
    await keepBooks(db, 'LE-US', '2026-06-10T00:00:00.000Z');
    // April is 1,000 of 10,000, May 1,800 of 9,800.
    expect(await revenueOf(db, line)).toEqual([
      ['2026-04', '2026-04', 816_327],
      ['2026-04', '2026-05', 183_673],
      ['2026-05', '2026-05', 836_735],
    ]);
  });

  test('somebody without a cost rate is a gap of finance, and holds nobody else up', async () => {
    await db.deleteFrom('cost_rate').where('person_id', '=', 'P-BOOKS').execute();
    const books = await keepBooks(db, 'LE-US', '2026-07-10T00:00:00.000Z');
    expect(books.waits.map(({ kind, role, subject }) => [kind, role, subject])).toContainEqual(['revenue-gap', 'finance-controller', line]);
    expect(await revenueOf(db, line)).toHaveLength(3);
    await db
      .insertInto('cost_rate')
      .values({ person_id: 'P-BOOKS', currency: 'USD', rate_per_hour: '100', valid_from: '2026-01-01' })
      .execute();
  });
});

describe('a closed month', () => {
  const entry = (entryKey: string, date: string) => ({
    entryKey,
    book: 'primary',
    entityId: 'LE-DE',
    date,
    narrative: 'Test',
    lines: [
      { account: '1000', debitMinor: 100, creditMinor: 0, currency: 'EUR', dimensions: NOTHING },
      { account: '6100', debitMinor: 0, creditMinor: 100, currency: 'EUR', dimensions: NOTHING },
    ],
  });
  const NOTHING = { customerId: null, projectId: null, lineId: null, serviceLine: null, practice: null, region: null };
  const posted = (entryKey: string) =>
    db.selectFrom('journal_entry').select(['date', 'concerns_month']).where('entry_key', '=', entryKey).executeTakeFirstOrThrow();

  test('takes no posting, by the database itself; what belongs there stands in the first open month and names its own', async () => {
    await keepBooks(db, 'LE-DE', '2026-03-20T00:00:00.000Z');
    await expect(
      db.insertInto('journal_entry').values({ id: uuidv7(), entry_key: 'direct', entity_id: 'LE-DE', book: 'primary', date: '2026-02-11', narrative: 'x' }).execute(), // prettier-ignore
    ).rejects.toThrow(/closed in the books/);
    await db.transaction().execute((trx) => postEntry(trx, entry('late', '2026-02-11')));
    await db.transaction().execute((trx) => postEntry(trx, entry('in time', '2026-04-11')));
    expect(await posted('late')).toMatchObject({ concerns_month: '2026-02' });
    expect((await posted('late')).date > '2026-02-28').toBe(true);
    expect(await posted('in time')).toEqual({ date: '2026-04-11', concerns_month: null });
  });

  test('is not opened again, nor closed before the months before it', async () => {
    const january = db.updateTable('accounting_period').where('entity_id', '=', 'LE-DE').where('period', '=', '2026-01');
    await expect(january.set({ state: 'soft-closed', closed_at: null, closed_by: null }).execute()).rejects.toThrow(/not reopened/);
    const last = db.updateTable('accounting_period').where('entity_id', '=', 'LE-DE').where('state', '=', 'open');
    const closed = { state: 'closed', soft_closed_at: STARTED, soft_closed_by: 'x', closed_at: STARTED, closed_by: 'x' };
    await expect(last.set(closed).execute()).rejects.toThrow(/closed after the ones before it|check constraint/);
  });

  test('a close and postings at the same time: each posting stands in a month that was open when it was made', async () => {
    const open = await db.selectFrom('accounting_period').select('period').where('entity_id', '=', 'LE-DE').where('state', '=', 'open').orderBy('period').executeTakeFirstOrThrow(); // prettier-ignore
    const date = `${open.period}-15`;
    const postings = Array.from({ length: 20 }, (_, index) =>
      db.transaction().execute((trx) => postEntry(trx, entry(`race ${index}`, date))),
    );
    const [next = ''] = monthsBetween(open.period, '2099-12').slice(1);
    await Promise.all([...postings, keepBooks(db, 'LE-DE', `${next}-16T00:00:00.000Z`)]);
    const rows = await db.selectFrom('journal_entry').select(['date', 'concerns_month']).where('entry_key', 'like', 'race %').execute();
    expect(rows).toHaveLength(20);
    expect(rows.filter((row) => (row.date === date) !== (row.concerns_month === null))).toEqual([]);
  });
});

describe('verification of the books', () => {
  test('finds the books sound apart from what is planted, and names what is planted', async () => {
    const sound = await verifyBooks(db);
    const broken = (report: typeof sound) => report.ties.filter((tie) => tie.broken.length > 0).map(({ tie }) => tie);
    // The postings of the tests above have no payment behind them.
    expect(broken(sound)).toEqual(['bank', 'bank-charges']);
    expect(sound.ties.filter(({ tie, compared }) => ['entries', 'contract-balance', 'positions', 'fixed-price'].includes(tie) && compared === 0)).toEqual([]); // prettier-ignore
    await db.updateTable('milestone').set({ amount_minor: 1 }).where('milestone_id', 'like', 'M%').execute();
    const planted = await verifyBooks(db);
    expect(broken(planted)).toContain('fixed-price');
    expect(planted.valid).toBe(false);
  });

  test('the trial balance of every entity sums to zero in each currency', async () => {
    const accounts = await readTrialBalance(db, 'LE-US', '2026-06-30', 'primary');
    expect(accounts.map(({ account }) => account)).toEqual(['1200', '1250', '4000']);
    expect(accounts.reduce((sum, { balance }) => sum + Math.round(Number(balance) * 100), 0)).toBe(0);
  });
});
