import { randomUUID } from 'node:crypto';
import { type Kysely } from 'kysely';
import { uuidv7 } from 'uuidv7';
import { createActivities } from '../../activities/index';
import { type DB } from '../../db/types';
import { approvedInvoice } from '../support/approved';
import { inRun } from '../support/activity-run';
import { testDatabase, type TestDatabase } from '../support/database';
import { bringTime, deliveredLine, expenseRow, insertTestRate, takeRun, type DeliveredLine } from '../support/time-and-materials';

const CUT_OFF = { february: '2026-03-05T23:00:00.000Z', march: '2026-04-05T22:00:00.000Z', april: '2026-05-05T22:00:00.000Z' } as const;
const LAST = '2026-06-05T22:00:00.000Z';

let database: TestDatabase;
let db: Kysely<DB>;
let activities: ReturnType<typeof createActivities>;
beforeAll(async () => {
  database = await testDatabase({ firm: true, poolSize: 24 });
  db = database.db;
  activities = createActivities({ db });
  await insertTestRate(db);
});
afterAll(() => database.drop());

const runsOf = (line: DeliveredLine) =>
  db
    .selectFrom('period_run')
    .select([
      'period',
      'limit_minor as limit',
      'billed_fees_minor as billed',
      'billed_to_date_minor as toDate',
      'released_minor as released',
      'newly_parked_minor as parked',
      'parked_after_minor as parkedAfter',
    ])
    .where('contract_line_id', '=', line.contractLineId)
    .where('void_at', 'is', null)
    .orderBy('period')
    .execute();
const itemsOf = (line: DeliveredLine) =>
  db
    .selectFrom('invoiced_item as item')
    .innerJoin('invoice', 'invoice.id', 'item.invoice_id')
    .select(['invoice.period', 'item.item_id as item', 'item.entry_id as entry', 'item.part', 'item.amount_minor as amount', 'item.hours'])
    .where('invoice.contract_line_id', '=', line.contractLineId)
    .orderBy('invoice.period')
    .orderBy('item.item_id')
    .execute();
const own = (line: DeliveredLine, id: string) => `${line.lineId}/${id}`;
/** A limit in euro cents that rises on a day, as a contract version states it. */
const rising = (from: number, to: number, day: string) => ({
  notToExceed: { minor: to, currency: 'EUR' },
  earlier: [{ before: day, version: 2, terms: { notToExceed: { minor: from, currency: 'EUR' } } }],
});

describe('runs of a time-and-materials line up to its limit', () => {
  test('an entry is split at the limit, the rest waits, a higher limit releases it in order, and late approvals take their place', async () => {
    const line = await deliveredLine(db, activities, rising(300_000, 340_050, '2026-04-20'));
    await bringTime(
      db,
      activities,
      line,
      [
        { entryId: 'A', workDate: '2026-02-02', hours: '8' },
        { entryId: 'B', workDate: '2026-02-03', hours: '8' },
        { entryId: 'C', workDate: '2026-02-04', hours: '7.5' },
        { entryId: 'LATE', workDate: '2026-02-04', hours: '2', approvedAt: '2026-03-09T09:00:00.000Z' },
        { entryId: 'D', workDate: '2026-03-03', hours: '8' },
        { entryId: 'E', workDate: '2026-03-04', hours: '1' },
      ],
      '2026-03-10T09:00:00.000Z',
    );
    const february = await takeRun(db, activities, line, '2026-02', CUT_OFF.february);
    expect(february.invoiceId).not.toBeNull();
    // 800 + 800 + 750 = 2,350 of 3,000; in March LATE (200) comes first, D is split at 450 of 800, E waits though it would fit nowhere.
    await takeRun(db, activities, line, '2026-03', CUT_OFF.march);
    await takeRun(db, activities, line, '2026-04', CUT_OFF.april);
    expect(await runsOf(line)).toEqual([
      { period: '2026-02', limit: 300_000, billed: 235_000, toDate: 235_000, released: 0, parked: 0, parkedAfter: 0 },
      { period: '2026-03', limit: 300_000, billed: 65_000, toDate: 300_000, released: 0, parked: 45_000, parkedAfter: 45_000 },
      { period: '2026-04', limit: 340_050, billed: 40_050, toDate: 340_050, released: 40_050, parked: 0, parkedAfter: 4_950 },
    ]);
    expect((await itemsOf(line)).filter(({ period }) => period !== '2026-02')).toEqual([
      { period: '2026-03', item: `${line.contractLineId}/${own(line, 'D')}`, entry: own(line, 'D'), part: 1, amount: 45_000, hours: '4.5' },
      {
        period: '2026-03',
        item: `${line.contractLineId}/${own(line, 'LATE')}`,
        entry: own(line, 'LATE'),
        part: 1,
        amount: 20_000,
        hours: '2',
      },
      {
        period: '2026-04',
        item: `${line.contractLineId}/${own(line, 'D')}/2`,
        entry: own(line, 'D'),
        part: 2,
        amount: 35_000,
        hours: '3.5',
      },
      {
        period: '2026-04',
        item: `${line.contractLineId}/${own(line, 'E')}`,
        entry: own(line, 'E'),
        part: 1,
        amount: 5_050,
        hours: '0.505',
      },
    ]);
    const parked = await db.selectFrom('parked_entry').selectAll().where('contract_line_id', '=', line.contractLineId).execute();
    expect(parked).toMatchObject([{ entry_id: own(line, 'E'), amount_minor: 4_950, hours: '0.495' }]);
    // 80 % of 3,000.00 are passed in March by LATE: 2,350 + 200; the higher limit reports nothing again.
    const soft = await db
      .selectFrom('period_run')
      .select(['period', 'soft_limit_entry_id as entry'])
      .where('contract_line_id', '=', line.contractLineId)
      .where('soft_limit_entry_id', 'is not', null)
      .execute();
    expect(soft).toEqual([{ period: '2026-03', entry: own(line, 'LATE') }]);
  });

  test('prices stay as they were when the entry was billed or parked, and say which rule won; documents name person, role and rate in columns', async () => {
    const line = await deliveredLine(db, activities, rising(80_000, 200_000, '2026-03-01'));
    const time = [
      { entryId: 'A', workDate: '2026-02-02', hours: '8' },
      { entryId: 'B', workDate: '2026-02-03', hours: '8' },
    ];
    await bringTime(db, activities, line, time, '2026-02-10T09:00:00.000Z');
    const { invoiceId } = await takeRun(db, activities, line, '2026-02', CUT_OFF.february);
    const prices = await db
      .selectFrom('time_price')
      .selectAll()
      .where('contract_line_id', '=', line.contractLineId)
      .orderBy('entry_id')
      .execute();
    expect(prices).toMatchObject([
      {
        entry_id: own(line, 'A'),
        rate_id: 'R-TEST',
        scope: 'global',
        score: 9,
        unit_price: '100',
        amount_minor: 80_000,
        contract_version: 1,
      },
      { entry_id: own(line, 'B'), rate_id: 'R-TEST', amount_minor: 80_000 },
    ]);
    const lines = await db
      .selectFrom('invoice_line')
      .selectAll()
      .where('invoice_id', '=', invoiceId ?? '')
      .execute();
    expect(lines).toMatchObject([{ person_id: 'P-019', role_code: 'TEST', rate_id: 'R-TEST', quantity: '8', amount_minor: 80_000 }]);
    expect(lines[0]?.description).not.toContain('P-019');
    await db.updateTable('rate').set({ rate: '900' }).where('id', '=', 'R-TEST').execute();
    try {
      await takeRun(db, activities, line, '2026-03', CUT_OFF.march);
      expect((await runsOf(line)).at(-1)).toMatchObject({ period: '2026-03', billed: 80_000, released: 80_000, parkedAfter: 0 });
    } finally {
      await db.updateTable('rate').set({ rate: '100' }).where('id', '=', 'R-TEST').execute();
    }
  });

  test('a run without fees but with expenses makes an invoice, at the rate of the spend date, without what is in error', async () => {
    const line = await deliveredLine(db, activities);
    await db
      .insertInto('expense')
      .values([
        expenseRow(line, 'X1'),
        expenseRow(line, 'X2', { receipt: false, amount_gross_minor: 30_000 }),
        expenseRow(line, 'X3', { currency: 'USD', country: 'US', recoverable_tax_minor: 0, amount_gross_minor: 50_000 }),
        expenseRow(line, 'X4', { spend_date: '2026-03-02', submitted_at: '2026-03-03T09:00:00Z', approved_at: '2026-03-04T09:00:00Z' }),
      ])
      .execute();
    const { invoiceId } = await takeRun(db, activities, line, '2026-02', CUT_OFF.february);
    const rate = await db
      .selectFrom('fx_rate')
      .select('rate')
      .where('quote', '=', 'USD')
      .where('date', '=', '2026-02-10')
      .executeTakeFirstOrThrow();
    const dollars = Math.round(50_000 / Number(rate.rate));
    const items = await db
      .selectFrom('invoiced_item')
      .select(['expense_id', 'amount_minor'])
      .where('invoice_id', '=', invoiceId ?? '')
      .orderBy('expense_id')
      .execute();
    expect(items).toEqual([
      { expense_id: own(line, 'X1'), amount_minor: 17_000 },
      { expense_id: own(line, 'X3'), amount_minor: dollars },
    ]);
    expect(await runsOf(line)).toMatchObject([{ period: '2026-02', billed: 0, parkedAfter: 0 }]);
    const price = await db.selectFrom('expense_price').selectAll().where('expense_id', '=', own(line, 'X3')).executeTakeFirstOrThrow();
    expect(price).toMatchObject({ amount_minor: dollars, rate_numerator: '1', rate_denominator: rate.rate, rate_as_of: '2026-02-10' });
    const found = await db.selectFrom('policy_finding').select(['code', 'reference']).where('deal_id', '=', line.dealId).execute();
    expect(found).toEqual([{ code: 'RECEIPT_MISSING', reference: own(line, 'X2') }]);
  });

  test('what came to nothing is run all the same, and an earlier run goes first', async () => {
    const line = await deliveredLine(db, activities);
    const march = await takeRun(db, activities, line, '2026-03', CUT_OFF.march);
    expect(march.invoiceId).toBeNull();
    const item = await db
      .selectFrom('billing_plan_item')
      .selectAll()
      .where('contract_line_id', '=', line.contractLineId)
      .where('item_key', '=', 'run/2026-03')
      .executeTakeFirstOrThrow();
    expect(item.state).toBe('planned');
    expect((item.blockers as { code: string }[]).map(({ code }) => code)).toEqual(['EarlierRunOpen']);
    await takeRun(db, activities, line, '2026-02', CUT_OFF.march);
    await takeRun(db, activities, line, '2026-03', CUT_OFF.march);
    expect((await runsOf(line)).map(({ period, billed }) => [period, billed])).toEqual([
      ['2026-02', 0],
      ['2026-03', 0],
    ]);
  });
});

describe('nothing is billed twice', () => {
  test('the same run twenty times at once makes one document', async () => {
    const line = await deliveredLine(db, activities);
    await bringTime(db, activities, line, [{ entryId: 'A', workDate: '2026-02-02', hours: '8' }], '2026-02-10T09:00:00.000Z');
    const answers = await Promise.all(Array.from({ length: 20 }, () => takeRun(db, activities, line, '2026-02', CUT_OFF.february)));
    expect(answers.filter(({ invoiceId }) => invoiceId !== null)).toHaveLength(1);
    expect(await itemsOf(line)).toHaveLength(1);
    expect(await runsOf(line)).toHaveLength(1);
  });

  test('a run whose answer was lost gives it again, and time that came meanwhile waits for the next', async () => {
    const line = await deliveredLine(db, activities);
    await bringTime(db, activities, line, [{ entryId: 'A', workDate: '2026-02-02', hours: '8' }], '2026-02-10T09:00:00.000Z');
    const item = await db
      .selectFrom('billing_plan_item')
      .select('id')
      .where('contract_line_id', '=', line.contractLineId)
      .where('item_key', '=', 'run/2026-02')
      .executeTakeFirstOrThrow();
    const bill = () =>
      inRun(line.contractLineId, () =>
        activities.billItem({ contractLineId: line.contractLineId, itemId: item.id, turn: 7, at: CUT_OFF.february }),
      );
    const first = await bill();
    await bringTime(db, activities, line, [{ entryId: 'B', workDate: '2026-02-03', hours: '8' }], '2026-03-06T09:00:00.000Z');
    expect(await bill()).toEqual(first);
    await takeRun(db, activities, line, '2026-03', CUT_OFF.march);
    expect((await itemsOf(line)).map(({ period, entry }) => [period, entry])).toEqual([
      ['2026-02', own(line, 'A')],
      ['2026-03', own(line, 'B')],
    ]);
  });

  test('runs and intake at the same time: every entry is billed once, whatever comes first', async () => {
    const line = await deliveredLine(db, activities, { notToExceed: null, capSoftPercent: null });
    const days = Array.from({ length: 10 }, (_, index) => `2026-02-${String(index + 2).padStart(2, '0')}`).filter(
      (day) => !['2026-02-07', '2026-02-08'].includes(day),
    );
    await Promise.all([
      ...days.map((workDate, index) =>
        bringTime(db, activities, line, [{ entryId: `E${index}`, workDate, hours: '4' }], '2026-02-20T09:00:00.000Z'),
      ),
      takeRun(db, activities, line, '2026-02', CUT_OFF.february),
    ]);
    await takeRun(db, activities, line, '2026-03', CUT_OFF.march);
    const entries = (await itemsOf(line)).map(({ entry }) => entry);
    expect(entries.sort()).toEqual(days.map((_, index) => own(line, `E${index}`)).sort());
  });

  test('a refused draft takes its run back: the month is run anew and priced anew', async () => {
    const line = await deliveredLine(db, activities, { notToExceed: { minor: 50_000, currency: 'EUR' } });
    await bringTime(db, activities, line, [{ entryId: 'A', workDate: '2026-02-02', hours: '8' }], '2026-02-10T09:00:00.000Z');
    const { invoiceId } = await takeRun(db, activities, line, '2026-02', CUT_OFF.february);
    const id = invoiceId ?? '';
    await inRun(`invoice/${id}`, () => activities.voidInvoice({ invoiceId: id, outcome: 'refused', reasonId: null, at: CUT_OFF.february }));
    expect(await runsOf(line)).toEqual([]);
    expect(await db.selectFrom('time_price').selectAll().where('contract_line_id', '=', line.contractLineId).execute()).toEqual([]);
    const release = { releaseId: uuidv7(), itemKey: 'run/2026-02', by: 'U-FC-DE', at: CUT_OFF.february };
    await inRun(line.contractLineId, () => activities.releaseItem({ contractLineId: line.contractLineId, release }));
    await takeRun(db, activities, line, '2026-02', CUT_OFF.february);
    expect(await runsOf(line)).toMatchObject([{ period: '2026-02', billed: 50_000, parked: 30_000, parkedAfter: 30_000 }]);
  });
});

describe('the end of a line', () => {
  const review = (line: DeliveredLine, at: string) =>
    inRun(line.contractLineId, () => activities.reviewLine({ contractLineId: line.contractLineId, look: randomUUID(), at }));
  const waive = (line: DeliveredLine, over: object = {}) =>
    inRun(line.contractLineId, () =>
      activities.recordWaiver({
        contractLineId: line.contractLineId,
        waiver: {
          waiverId: uuidv7(),
          kind: 'parked-time',
          amount: { minor: 50_000, currency: 'EUR' },
          reasonCode: 'goodwill',
          by: 'U-FC-DE',
          at: LAST,
          ...over,
        } as never,
      }),
    );
  const settle = async (invoiceId: string | null, at: string) => {
    if (invoiceId === null) return;
    const approvalId = await approvedInvoice(db, invoiceId);
    await inRun(`invoice/${invoiceId}`, () => activities.approveInvoice({ invoiceId, approvalId, at }));
    const issued = await inRun(`invoice/${invoiceId}`, () => activities.issueInvoice({ invoiceId, approvalId, at }));
    await db.updateTable('invoice').set({ open_minor: 0 }).where('id', '=', invoiceId).execute();
    await inRun(`invoice/${invoiceId}`, () => activities.reviewReceivable({ invoiceId, look: '1', at: issued.issueAt ?? at }));
  };

  test('parked time waits for finance after the last run: a waiver of exactly what stands there, by nobody who worked or approved it', async () => {
    const line = await deliveredLine(db, activities, { notToExceed: { minor: 30_000, currency: 'EUR' } });
    await bringTime(db, activities, line, [{ entryId: 'A', workDate: '2026-02-02', hours: '8' }], '2026-02-10T09:00:00.000Z');
    const { invoiceId, line: parked } = await takeRun(db, activities, line, '2026-02', CUT_OFF.february);
    expect(parked.waits).toContainEqual(
      expect.objectContaining({
        kind: 'limit-reached',
        role: 'project-manager',
        asks: 'LimitReached: raise a change order: 500.00 EUR of 1 time entries is parked',
      }),
    );
    await settle(invoiceId, CUT_OFF.february);
    await takeRun(db, activities, line, '2026-03', CUT_OFF.march);
    await takeRun(db, activities, line, '2026-04', CUT_OFF.april);
    const { line: last } = await takeRun(db, activities, line, '2026-05', LAST);
    expect(last.waits).toMatchObject([
      { kind: 'unbilled-decision', role: 'finance-controller', subject: `${line.lineId}/ParkedTimeUndecided` },
    ]);
    await expect(waive(line, { amount: { minor: 50_001, currency: 'EUR' } })).rejects.toMatchObject({ type: 'WaiverAmountDiffers' });
    await expect(waive(line, { kind: 'unbilled-time' })).rejects.toMatchObject({ type: 'NothingToWaive' });
    await expect(waive(line, { by: 'U-PM-EU' })).rejects.toMatchObject({ type: 'DutiesConflict' });
    const waived = await waive(line);
    expect(waived).toMatchObject({ finished: true, waits: [] });
    expect(
      await db.selectFrom('waived_item').select(['entry_id', 'amount_minor', 'hours']).where('entry_id', '=', own(line, 'A')).execute(),
    ).toEqual([{ entry_id: own(line, 'A'), amount_minor: 50_000, hours: '5' }]);
    await expect(waive(line)).rejects.toMatchObject({ type: 'NothingToWaive' });
  });

  test('time approved after the last run opens the line again, and one more run bills it', async () => {
    const line = await deliveredLine(db, activities);
    for (const [period, at] of [
      ['2026-02', CUT_OFF.february],
      ['2026-03', CUT_OFF.march],
      ['2026-04', CUT_OFF.april],
      ['2026-05', LAST],
    ] as const)
      await takeRun(db, activities, line, period, at);
    expect((await review(line, LAST)).finished).toBe(true);
    const at = '2026-06-20T09:00:00.000Z';
    const plan = () =>
      inRun(line.contractLineId, () =>
        activities.planRun({ contractLineId: line.contractLineId, request: { requestId: uuidv7(), by: 'U-FC-DE', at } }),
      );
    await expect(plan()).rejects.toMatchObject({ type: 'NothingToRun' });
    const brought = await bringTime(db, activities, line, [{ entryId: 'A', workDate: '2026-04-02', hours: '8', approvedAt: at }], at);
    expect(brought.reopened).toMatchObject([{ contractLineId: line.contractLineId, engagementModel: 'time-and-materials' }]);
    expect((await review(line, at)).waits).toMatchObject([{ kind: 'unbilled-decision', subject: `${line.lineId}/TimeNotBilled` }]);
    await plan();
    await expect(plan()).rejects.toMatchObject({ type: 'RunStillPlanned' });
    const { invoiceId } = await takeRun(db, activities, line, '2026-06', '2026-07-05T22:00:00.000Z');
    expect(invoiceId).not.toBeNull();
    expect((await runsOf(line)).at(-1)).toMatchObject({ period: '2026-06', billed: 80_000 });
  });

  test('a stopped line bills what was worked until then, also what is approved a month later, and nothing after', async () => {
    const line = await deliveredLine(db, activities);
    await bringTime(
      db,
      activities,
      line,
      [
        { entryId: 'A', workDate: '2026-02-10', hours: '8' },
        { entryId: 'LATE', workDate: '2026-02-11', hours: '4', approvedAt: '2026-03-20T09:00:00.000Z' },
        { entryId: 'AFTER', workDate: '2026-02-16', hours: '8' },
      ],
      '2026-02-20T09:00:00.000Z',
    );
    await inRun(line.contractLineId, () =>
      activities.stopLine({ contractLineId: line.contractLineId, stoppedOn: '2026-02-13', at: '2026-02-20T09:00:00.000Z' }),
    );
    const items = await db
      .selectFrom('billing_plan_item')
      .select(['item_key', 'state'])
      .where('contract_line_id', '=', line.contractLineId)
      .orderBy('item_key')
      .execute();
    expect(items.map(({ item_key: key, state }) => `${key} ${state}`)).toEqual([
      'run/2026-02 planned',
      'run/2026-03 planned',
      'run/2026-04 void',
      'run/2026-05 void',
    ]);
    await takeRun(db, activities, line, '2026-02', CUT_OFF.february);
    await takeRun(db, activities, line, '2026-03', CUT_OFF.march);
    expect((await itemsOf(line)).map(({ period, entry }) => [period, entry])).toEqual([
      ['2026-02', own(line, 'A')],
      ['2026-03', own(line, 'LATE')],
    ]);
    expect((await review(line, CUT_OFF.march)).waits.map(({ kind }) => kind)).toEqual(['invoices']);
  });
});
