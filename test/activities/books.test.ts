import { type Kysely } from 'kysely';
import { type DB } from '../../db/types';
import { STARTED, keepBooks, revenueOf, soldLines } from '../support/books';
import { testDatabase, type TestDatabase } from '../support/database';
import { milestones, service } from '../support/lifecycles';
import { seedReferenceDeal } from '../support/reference-deal';

let database: TestDatabase;
let db: Kysely<DB>;
beforeAll(async () => {
  database = await testDatabase({ poolSize: 24 });
  db = database.db;
  await seedReferenceDeal(db);
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
