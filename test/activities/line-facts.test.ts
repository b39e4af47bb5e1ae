import { type Kysely } from 'kysely';
import { uuidv7 } from 'uuidv7';
import { createActivities } from '../../activities/index';
import { type UsageReport } from '../../contracts/workflow-state';
import { type DB } from '../../db/types';
import { inRun } from '../support/activity-run';
import { approvedDeal } from '../support/approved';
import { dealRow } from '../support/builders';
import { testDatabase, type TestDatabase } from '../support/database';
import { service, testDeal } from '../support/lifecycles';
import { seedReferenceDeal } from '../support/reference-deal';
import { uniqueName } from '../support/temporal';

const AT = '2026-12-01T09:00:00.000Z';
const TERM = { startDate: '2026-02-01', endDate: '2026-11-30' };

let database: TestDatabase;
let db: Kysely<DB>;
let activities: ReturnType<typeof createActivities>;
beforeAll(async () => {
  database = await testDatabase({ poolSize: 24 });
  db = database.db;
  activities = createActivities({ db });
  await seedReferenceDeal(db);
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
