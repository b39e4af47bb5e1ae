import { type Kysely, sql } from 'kysely';
import { uuidv7 } from 'uuidv7';
import { createActivities } from '../../activities/index';
import { type UsageReport } from '../../contracts/workflow-state';
import { lineOf, lockLine } from '../../db/lines';
import { type DB } from '../../db/types';
import { inRun } from '../support/activity-run';
import { approvedDeal } from '../support/approved';
import { dealRow } from '../support/builders';
import { testDatabase, type TestDatabase } from '../support/database';
import { service, testDeal, until } from '../support/lifecycles';
import { uniqueName } from '../support/temporal';

const AT = '2026-12-01T09:00:00.000Z';
const TERM = { startDate: '2026-02-01', endDate: '2026-11-30' };

let database: TestDatabase;
let db: Kysely<DB>;
let activities: ReturnType<typeof createActivities>;
beforeAll(async () => {
  database = await testDatabase({ firm: true, poolSize: 24 });
  db = database.db;
  activities = createActivities({ db });
});
afterAll(() => database.drop());

/** Service lines of one deal that are delivered, by their line ids. */
async function linesOf(...lineIds: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const terms = testDeal({ ...TERM, lines: lineIds.map((lineId) => service({ ...TERM, lineId })) });
  const row = dealRow(terms, { state: 'approval', seller_id: 'U-SELLER' });
  await db.insertInto('deal').values(row).execute();
  const approvalId = await approvedDeal(db, row.id, terms);
  const baseline = { dealId: row.id, approvalId, at: AT };
  const { lines } = await inRun('deal', () => activities.createBaseline(baseline));
  return new Map(lines.map((line) => [line.lineId, line.contractLineId]));
}

test('a line that is waited for while its contract gets another version is found with that version', async () => {
  const lineId = uniqueName('L');
  const contractLineId = (await linesOf(lineId)).get(lineId) ?? '';
  const { deal_id: dealId } = await lineOf(db, contractLineId);
  const waiting = async () => {
    const { rows } = await sql`select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`.execute(db);
    return rows.length > 0;
  };
  // The second version comes of no change order here.
  await sql`alter table contract_version drop constraint contract_version_check`.execute(db);
  let locked: Promise<{ contract_version: number }> | undefined;
  await db.transaction().execute(async (trx) => {
    await sql`
      insert into contract_version (deal_id, version, terms, terms_hash, in_force_from, approval_id, created_at)
      select deal_id, 2, terms, terms_hash, in_force_from, approval_id, created_at from contract_version where deal_id = ${dealId}`.execute(
      trx,
    );
    await trx.updateTable('contract_line').set({ contract_version: 2 }).where('id', '=', contractLineId).execute();
    locked = db.transaction().execute((other) => lockLine(other, contractLineId));
    await until('the other to wait for the line', waiting);
  });
  expect(await locked).toMatchObject({ contract_version: 2 });
});

describe('a purchase order that two lines use up', () => {
  test('takes what fits of twenty fees that are billed at once, and no cent more', async () => {
    const [first, second] = [uniqueName('PO'), uniqueName('PO')];
    await db
      .insertInto('customer_purchase_order')
      .values({
        bill_to_id: 'BA-DE',
        number: uniqueName('ORDER'),
        line_ids: [first, second],
        currency: 'EUR',
        limit_minor: 9_500_000,
        valid_from: TERM.startDate,
        valid_to: TERM.endDate,
        required_on_invoice: true,
      })
      .execute();
    const lines = await linesOf(first, second);
    const items = await db
      .selectFrom('billing_plan_item')
      .select(['id', 'contract_line_id'])
      .where('contract_line_id', 'in', [...lines.values()])
      .where('item_key', 'like', 'fee/%')
      .orderBy('item_key')
      .execute();
    expect(items).toHaveLength(20);
    const billed = await Promise.all(
      items.map(({ id, contract_line_id: contractLineId }, turn) =>
        inRun(contractLineId, () => activities.billItem({ contractLineId, itemId: id, turn, at: AT })),
      ),
    );
    expect(billed.filter(({ invoiceId }) => invoiceId !== null)).toHaveLength(9);
    const { net } = await db
      .selectFrom('invoice')
      .select((eb) => eb.fn.sum('net_minor').as('net'))
      .where('contract_line_id', 'in', [...lines.values()])
      .executeTakeFirstOrThrow();
    expect(Number(net)).toBe(9_000_000);
    const blocked = await db
      .selectFrom('billing_plan_item')
      .select('blockers')
      .where('contract_line_id', 'in', [...lines.values()])
      .where('item_key', 'like', 'fee/%')
      .where('state', '=', 'planned')
      .execute();
    const codes = blocked.flatMap(({ blockers }) => (blockers as { code: string }[]).map(({ code }) => code));
    expect(codes).toEqual(Array(11).fill('PurchaseOrderExhausted'));
  });
});

describe('a usage report', () => {
  const report = (over: Partial<UsageReport>): UsageReport => ({
    eventId: uuidv7(),
    servicePeriod: '2026-02',
    tickets: 90,
    p1Tickets: 2,
    p1WithinTarget: 1,
    supersedes: null,
    reportedAt: AT,
    by: 'U-PM-EU',
    at: AT,
    ...over,
  });
  const stored = async (contractLineId: string) =>
    (await db.selectFrom('usage_report').select(['event_id', 'supersedes']).where('contract_line_id', '=', contractLineId).execute())
      .length;

  test('that replaces one of another month or line is refused, leaves nothing, and may come again as it should be', async () => {
    const lines = await linesOf('A', 'B');
    const [line = '', other = ''] = [...lines.values()];
    const record = (contractLineId: string, facts: UsageReport) =>
      inRun(contractLineId, () => activities.recordUsage({ contractLineId, report: facts }));
    const february = report({});
    await record(line, february);
    const march = report({ servicePeriod: '2026-03', supersedes: february.eventId });
    await expect(record(line, march)).rejects.toMatchObject({ type: 'UsageSupersedesOther', nonRetryable: true });
    const elsewhere = report({ supersedes: february.eventId });
    await expect(record(other, elsewhere)).rejects.toMatchObject({ type: 'UsageSupersedesOther' });
    expect([await stored(line), await stored(other)]).toEqual([1, 0]);

    await record(line, { ...march, servicePeriod: '2026-02' });
    await record(other, { ...elsewhere, supersedes: null });
    expect([await stored(line), await stored(other)]).toEqual([2, 1]);
  });
});
