import { type Kysely, sql } from 'kysely';
import { uuidv7 } from 'uuidv7';
import { createActivities } from '../../activities/index';
import { applySubcontractorCosts } from '../../activities/procurement/costs';
import { endChangeOrder } from '../../db/change-orders';
import { type DB } from '../../db/types';
import { lineWorkflowId } from '../../domain/ids';
import { type Send } from '../support/api';
import { addOn, requestChange } from '../support/change-orders';
import { type ExceptionStage, exceptionStage } from '../support/exceptions';
import { bringToDelivery, linesOf, milestones, refusalOf, service, startDeal, testDeal, until } from '../support/lifecycles';
import { bill, bringCosts, type CostRow, order, procured, spendOf } from '../support/subcontractors';
import { bringTime, deliveredLine, insertTestRate, takeRun } from '../support/time-and-materials';

/** Friday at two in the afternoon in Germany. */
const NOW = '2026-02-20T13:00:00.000Z';
const PATH = 'subcontractor-spend';
const BUDGET = { lineId: 'A', workPackageId: null, cost: '10000.00', currency: 'USD' };

let stage: ExceptionStage;
let procurement: Send;
let cfo: Send;
beforeAll(async () => {
  stage = await exceptionStage(NOW);
  procurement = await stage.api.withKey(['procurement-integration']);
  cfo = await stage.api.as('U-CFO');
  await insertTestRate(stage.engine.db);
});
afterAll(() => stage.stop());
beforeEach(() => {
  stage.now = NOW;
});

const at = (lineId: string | undefined) => stage.at(lineWorkflowId(lineId ?? ''), 'assigned', PATH);

describe('a file of many costs', () => {
  const FIELDS = [
    'costId',
    'vendorId',
    'lineId',
    'workPackageId',
    'kind',
    'commitmentId',
    'amount',
    'currency',
    'incurredOn',
    'supersedes',
  ];
  const COLUMNS = 'cost_id,vendor_id,line_id,wp_id,kind,commitment_id,amount,currency,incurred_on,supersedes';
  const lineOf = (row: CostRow) => FIELDS.map((field) => (row[field] as string | null | undefined) ?? '').join(',');
  const csv = (rows: readonly CostRow[]) => [COLUMNS, ...rows.map(lineOf), ''].join('\n');

  test('takes the bills after the orders that they name, wherever in it those stand, and corrections after what they correct', async () => {
    const { dealId, lineIds } = await procured(stage, [milestones(), service()], [BUDGET]);
    const orders = Array.from({ length: 6_000 }, (_, index) => order({ costId: `${dealId}/PO-${index}`, amount: '10.00' }));
    const bills = orders.map(({ costId }, index) => bill(costId, { costId: `${dealId}/BILL-${index}`, amount: '4.00' }));
    const corrections = orders.slice(0, 500).map(({ costId }) => order({ costId: `${costId}/1`, supersedes: costId, amount: '20.00' }));
    const missing = bill('PO-NONE', { costId: `${dealId}/LOST` });
    const rows = [...bills, missing, ...orders, ...corrections];
    const brought = await bringCosts(procurement, dealId, csv(rows));
    expect(brought).toMatchObject({ stored: 12_500, unchanged: 0, refused: 1 });
    expect(brought.errors).toEqual(['6002 commitment_id SubcontractorCostUnknown']);
    const { A: line } = await spendOf(cfo, dealId);
    expect(line?.cost).toMatchObject({ committed: '41000.00', billed: '24000.00', spent: '65000.00' });
    expect((await at(lineIds.get('A'))).cost?.overspend).toBe('55000.00');
    const again = await bringCosts(procurement, dealId, csv([...corrections, ...orders, ...bills]));
    expect(again).toMatchObject({ stored: 0, unchanged: 12_500, refused: 0 });
    expect(await stage.engine.db.selectFrom('intake_block').select('block').execute()).toEqual([]);
  }, 120_000);

  test('asks the database as often as a file of a few', async () => {
    const statements = async (count: number): Promise<number> => {
      const { dealId } = await procured(stage, [milestones(), service()], []);
      let asked = 0;
      const counting: Kysely<DB> = stage.engine.db.withPlugin({
        transformQuery: ({ node }) => {
          asked += 1;
          return node;
        },
        transformResult: ({ result }) => Promise.resolve(result),
      });
      const rows = Array.from({ length: count }, (_, index) => ({
        ...{ line: index + 1, cost_id: `${dealId}/${index}`, vendor_id: 'V-03', line_id: index % 2 === 0 ? 'A' : 'B', wp_id: null },
        ...{ kind: 'commitment', commitment_id: null, amount: 100, currency: 'USD', incurred_on: '2026-02-10', supersedes: null },
      }));
      const content = sql`${JSON.stringify(rows)}::json`;
      const applied = await counting
        .transaction()
        .execute((trx) => applySubcontractorCosts(trx, { dealId, content, passes: 1 }, stage.now));
      expect(applied).toMatchObject({ stored: count, refused: 0 });
      return asked;
    };
    expect(await statements(5_000)).toBe(await statements(4));
  }, 60_000);
});

describe('an exception of spend', () => {
  test('ends also where policy has come to tolerate it: by an outcome, or when its run looks', async () => {
    const { db } = stage.engine;
    const [chosen, left] = [await procured(stage, [milestones()], [BUDGET]), await procured(stage, [milestones()], [BUDGET])];
    for (const { dealId } of [chosen, left]) await bringCosts(procurement, dealId, [order({ amount: '10400.00' })]);
    const [first, second] = [await at(chosen.lineIds.get('A')), await at(left.lineIds.get('A'))];
    const last = await db.selectFrom('policy_version').selectAll().where('kind', '=', 'exceptions').orderBy('version', 'desc').executeTakeFirstOrThrow(); // prettier-ignore
    const [version, validFrom] = [last.version + 1, '2026-02-23'];
    const body = JSON.stringify({ ...(last.body as object), version, validFrom, subcontractorTolerancePercent: '5' });
    await db.insertInto('policy_version').values({ id: uuidv7(), kind: 'exceptions', version, valid_from: validFrom, body, body_hash: 'x' }).execute(); // prettier-ignore
    await db
      .updateTable('master_revision')
      .set((eb) => ({ revision: eb('revision', '+', 1) }))
      .execute();

    stage.now = '2026-02-24T09:00:00.000Z';
    await stage.choose(first.id, 'U-PM-US', { option: 'absorb' });
    await stage.approveChoice(first.id, 'U-FC-US');
    await stage.ended(first.id);
    expect(await stage.read(first.id)).toMatchObject({ settledAs: 'absorb', cost: { overspend: '400.00' } });
    expect((await spendOf(cfo, chosen.dealId)).A?.cost.budget).toBe('10400.00');

    await stage.passTo(second.id, '2026-03-02T15:00:00.000Z');
    await stage.ended(second.id);
    expect(await stage.read(second.id)).toMatchObject({ settledAs: 'cured', choices: [] });
    expect((await spendOf(cfo, left.dealId)).A?.cost.budget).toBe('10000.00');
  }, 90_000);

  test('does not raise an estimate that was stated after the outcome was chosen', async () => {
    const { db } = stage.engine;
    const { dealId, lineIds } = await procured(stage, [milestones()], [BUDGET]);
    const lineId = lineIds.get('A') ?? '';
    const state = (toComplete: string, statedAt: string) =>
      db
        .insertInto('cost_forecast')
        .values({
          contract_line_id: lineId,
          as_of: '2026-02-28',
          measure: 'cost',
          estimate_to_complete: toComplete,
          currency: 'USD',
          stated_by: 'U-PM-US',
          stated_at: statedAt,
        }) // prettier-ignore
        .execute();
    const estimates = async () => {
      const stated = db.selectFrom('cost_forecast').select('estimate_to_complete').where('contract_line_id', '=', lineId);
      return (await stated.orderBy('stated_at').execute()).map((each) => each.estimate_to_complete);
    };
    await state('50000', '2026-02-20T12:00:00.000Z');
    await bringCosts(procurement, dealId, [order({ amount: '60000.00' })]);
    const opened = await at(lineId);
    await stage.choose(opened.id, 'U-PM-US', { option: 'absorb' });
    await state('100000', '2026-02-20T14:00:00.000Z');
    stage.now = '2026-02-20T15:00:00.000Z';
    await stage.approveChoice(opened.id, 'U-FC-US');
    await stage.ended(opened.id);
    expect((await spendOf(cfo, dealId)).A?.cost).toMatchObject({ budget: '60000.00', spent: '60000.00' });
    expect(await estimates()).toEqual(['50000', '100000']);

    // What is spent after that estimate comes to it.
    await bringCosts(procurement, dealId, [order({ amount: '5000.00' })]);
    const next = await at(lineId);
    await stage.choose(next.id, 'U-PM-US', { option: 'absorb' });
    await stage.approveChoice(next.id, 'U-FC-US');
    await stage.ended(next.id);
    expect(await estimates()).toEqual(['50000', '100000', '105000']);
    // Also where all of it is decided in one moment: an estimate that an outcome raised was stated by nobody.
    for (const total of ['111000', '118000']) {
      await bringCosts(procurement, dealId, [order({ amount: total === '111000' ? '6000.00' : '7000.00' })]);
      const { id } = await at(lineId);
      await stage.choose(id, 'U-PM-US', { option: 'absorb' });
      await stage.approveChoice(id, 'U-FC-US');
      await stage.ended(id);
      expect((await estimates()).at(-1)).toBe(total);
    }
  }, 60_000);

  test('is decided also by who approved time beyond the limit of the line, which is another exception there', async () => {
    const { db } = stage.engine;
    const activities = createActivities({ db });
    const line = await deliveredLine(db, activities, { notToExceed: { minor: 100_000, currency: 'EUR' } });
    const work = { approvedBy: 'U-FC-DE', hours: '8' };
    await bringTime(db, activities, line, [{ entryId: 'A', workDate: '2026-02-03', ...work }, { entryId: 'B', workDate: '2026-02-04', ...work }], stage.now); // prettier-ignore
    await takeRun(db, activities, line, '2026-02', '2026-03-05T23:00:00.000Z');
    const parked = await stage.at(lineWorkflowId(line.contractLineId), 'assigned', 'scope-change');
    await stage.choose(parked.id, 'U-PM-EU', { option: 'absorb' });
    expect(await refusalOf(stage.approveChoice(parked.id, 'U-FC-DE'))).toBe('DutiesConflict');

    await bringCosts(procurement, line.dealId, [order({ lineId: line.lineId, currency: 'EUR' })]);
    const spent = await at(line.contractLineId);
    await stage.choose(spent.id, 'U-PM-EU', { option: 'absorb' });
    await stage.approveChoice(spent.id, 'U-FC-DE');
    await stage.ended(spent.id);
    expect(await stage.read(spent.id)).toMatchObject({ settledAs: 'absorb' });
  }, 60_000);

  test('does not come to wait for a change order that ends while that is chosen', async () => {
    const { engine } = stage;
    const deal = await startDeal(engine, testDeal({ lines: [milestones(), service()] }));
    await bringToDelivery(engine, deal);
    deal.now = NOW;
    const line = (await linesOf(engine, deal)).find((each) => each.line_id === 'B');
    await bringCosts(procurement, deal.dealId, [order({ lineId: 'B', currency: 'EUR' })]);
    const opened = await at(line?.id);
    const { changeOrderId } = await requestChange(engine, deal, [addOn()]);
    const waiting = sql<{ of: number }>`
      select count(*)::integer as of from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query like '%change_order%'`;
    const refused = await engine.db.transaction().execute(async (trx) => {
      await endChangeOrder(trx, changeOrderId, { state: 'withdrawn', code: 'Withdrawn', detail: 'taken back', at: NOW });
      const answer = stage.refusal(opened.id, 'U-PM-EU', { option: 'change-order', target: 'CO-1' });
      // It is answered once it is known what becomes of the order.
      await until('the choice to wait for the order', async () => (await waiting.execute(engine.db)).rows[0]?.of === 1);
      return { answer };
    });
    expect(await refused.answer).toBe('ChangeOrderSettled');
    expect(await stage.read(opened.id)).toMatchObject({ stage: 'assigned', choices: [] });
    await deal.handle.terminate();
  }, 120_000);
});
