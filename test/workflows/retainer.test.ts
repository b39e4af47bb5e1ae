import { randomUUID } from 'node:crypto';
import { type BillingWaiver } from '../../contracts/workflow-state';
import { reportUsageUpdate, waiveUpdate } from '../../workflows/contract-line/messages';
import { handleOf, invoiceIn, issue, pay, signOff } from '../support/delivery';
import {
  approve,
  bringToDelivery,
  linesOf,
  openWaits,
  pendingApproval,
  playTo,
  reach,
  refusalOf,
  requestCancellation,
  retainer,
  service,
  startDeal,
  testDeal,
  until,
  type TestDeal,
} from '../support/lifecycles';
import { whatIsOpen } from '../support/open-work';
import { expectShownAsWaiting } from '../support/shown';
import { reportTime } from '../support/time';
import { startTestEngine, type TestEngine } from '../support/worker';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startTestEngine();
});
afterAll(() => engine.stop());

// The tests share the number series of their entities, which never goes back in time: each begins where the one before has ended.

const lineIdOf = async (deal: TestDeal, lineId: string) => (await linesOf(engine, deal)).find((line) => line.line_id === lineId)?.id ?? '';

const planOf = async (deal: TestDeal, lineId: string) =>
  engine.db
    .selectFrom('billing_plan_item')
    .select(['item_key', 'state', 'reference', 'issue_date'])
    .where('contract_line_id', '=', await lineIdOf(deal, lineId))
    .orderBy('item_key')
    .execute();

const plannedItem = (deal: TestDeal, lineId: string, itemKey: string) =>
  until(`${itemKey} to be planned`, async () => (await planOf(deal, lineId)).find((item) => item.item_key === itemKey));

const documentsOf = (deal: TestDeal) =>
  engine.db
    .selectFrom('invoice')
    .select(['contract_line_id', 'kind', 'document_kind', 'period', 'net_minor', 'reference'])
    .where('deal_id', '=', deal.dealId)
    .where('state', 'in', ['issued', 'settled'])
    .orderBy('issue_date')
    .orderBy('reference')
    .execute();

/** What overage documents bill, by their reference without the code of the deal. */
async function overageOf(deal: TestDeal): Promise<Record<string, string[]>> {
  const items = await engine.db
    .selectFrom('invoiced_item as item')
    .innerJoin('invoice', 'invoice.id', 'item.invoice_id')
    .select(['invoice.reference', 'item.item_id', 'item.hours', 'item.amount_minor'])
    .where('invoice.deal_id', '=', deal.dealId)
    .where('invoice.kind', '=', 'retainer-overage')
    .orderBy('item.item_id')
    .execute();
  const found: Record<string, string[]> = {};
  for (const { reference, item_id: itemId, hours, amount_minor: amount } of items)
    (found[reference.slice(reference.indexOf('-C-') + 1)] ??= []).push(
      `${itemId.split(`${deal.dealId}/`)[1]} ${Number(hours)} h ${amount}`,
    );
  return found;
}

async function waive(deal: TestDeal, over: Partial<Extract<BillingWaiver, { kind: 'overage' }>>) {
  const line = await handleOf(engine, deal, 'C');
  const waiver = {
    waiverId: randomUUID(),
    kind: 'overage' as const,
    period: '2026-06',
    hours: '1',
    reasonCode: 'goodwill',
    by: 'U-FC-US',
    at: deal.now,
    ...over,
  };
  return line.executeUpdate(waiveUpdate, { args: [waiver] });
}

const statusOf = async (deal: TestDeal) => (await (await handleOf(engine, deal, 'C')).describe()).status.name;

/** Every draft that waits is approved and issued by the end of the day; gives how many. */
async function issueAll(deal: TestDeal, count: number, day: string): Promise<void> {
  for (let left = count; left > 0; left -= 1) await approve(engine, deal, 'invoice');
  await until('all to be approved', async () => {
    const drafts = engine.db.selectFrom('invoice').select('id').where('deal_id', '=', deal.dealId).where('state', '=', 'draft');
    return (await drafts.execute()).length === 0;
  });
  await playTo(engine, deal, `${day}T23:00:00.000Z`);
}

test('lines stopped in the middle of a month bill their days, credit what was issued beyond them, and the statement agrees with revenue', async () => {
  const deal = await startDeal(engine, testDeal({ lines: [service({ endDate: '2026-06-30' }), retainer()] }));
  await bringToDelivery(engine, deal);
  await playTo(engine, deal, '2026-02-01T00:00:00.000Z');
  await issueAll(deal, 2, '2026-02-02');
  const fees = await engine.db.selectFrom('invoice').selectAll().where('deal_id', '=', deal.dealId).execute();
  await requestCancellation(engine, deal, '2026-02-14');
  await approve(engine, deal, 'cancellation');
  await reach(engine, deal, 'cancelling');
  await plannedItem(deal, 'C', 'fee-credit/2026-02');
  await plannedItem(deal, 'B', 'fee-credit/2026-02');
  await expectShownAsWaiting(engine, deal.dealId);

  deal.now = '2026-03-02T10:00:00.000Z';
  await reportTime(engine, deal, 'C', [
    { entryId: 'A', workDate: '2026-02-10', hours: '22', approvedAt: '2026-02-20T12:00:00.000Z' },
    { entryId: 'B', workDate: '2026-02-16', hours: '8', approvedAt: '2026-02-20T12:00:00.000Z' },
  ]);
  const usage = { eventId: randomUUID(), servicePeriod: '2026-02', tickets: 110, p1Tickets: 0, p1WithinTarget: 0, supersedes: null };
  const support = await handleOf(engine, deal, 'B');
  await support.executeUpdate(reportUsageUpdate, { args: [{ ...usage, reportedAt: deal.now, by: 'U-PM-EU', at: deal.now }] });
  await playTo(engine, deal, '2026-03-06T08:00:00.000Z');
  await issueAll(deal, 4, '2026-03-06');
  expect((await documentsOf(deal)).map((each) => [each.kind, each.document_kind, each.period, each.net_minor])).toEqual([
    ['advance-fee', 'invoice', '2026-02', 1_000_000],
    ['advance-fee', 'invoice', '2026-02', 500_000],
    ['fee-credit', 'credit-note', '2026-02', -500_000],
    ['usage-settlement', 'invoice', '2026-02', 40_000],
    ['retainer-overage', 'invoice', '2026-02', 60_000],
    ['fee-credit', 'credit-note', '2026-02', -250_000],
  ]);
  for (const fee of fees) await pay(engine, fee, '2026-03-10');
  for (const kind of ['usage-settlement', 'retainer-overage']) {
    const open = await engine.db
      .selectFrom('invoice')
      .selectAll()
      .where('deal_id', '=', deal.dealId)
      .where('kind', '=', kind)
      .executeTakeFirstOrThrow();
    await pay(engine, open, '2026-03-11');
  }
  expect((await deal.handle.result()).outcome).toBe('cancelled');
  expect(await whatIsOpen(engine, deal.dealId)).toEqual({});
  const { statement } = await engine.db
    .selectFrom('cancellation_statement')
    .select('statement')
    .where('deal_id', '=', deal.dealId)
    .executeTakeFirstOrThrow();
  const stopped = { stoppedOn: '2026-02-14', owedMinor: 0 };
  const support119 = 642_600; // 5,400 and 19 %
  expect(statement).toEqual([
    {
      lineId: 'B',
      currency: 'EUR',
      billedMinor: support119,
      settledMinor: support119,
      netMinor: 540_000,
      earnedMinor: 540_000,
      ...stopped,
    },
    { lineId: 'C', currency: 'USD', billedMinor: 310_000, settledMinor: 310_000, netMinor: 310_000, earnedMinor: 310_000, ...stopped },
  ]);
});

test('a fee that was drafted before the stop is not issued for more than its days', async () => {
  const lines = [retainer({ startDate: '2026-04-01' })];
  const deal = await startDeal(engine, testDeal({ lines }), '2026-03-12T14:00:00.000Z');
  await bringToDelivery(engine, deal);
  await playTo(engine, deal, '2026-03-30T00:00:00.000Z');
  await pendingApproval(engine, deal, 'invoice');
  await requestCancellation(engine, deal, '2026-04-12');
  await approve(engine, deal, 'cancellation');
  await reach(engine, deal, 'cancelling');
  await until('the fee to be planned for its days', async () => {
    const fee = await engine.db
      .selectFrom('billing_plan_item')
      .select('amount_minor')
      .where('contract_line_id', '=', await lineIdOf(deal, 'C'))
      .where('item_key', '=', 'fee/2026-04')
      .executeTakeFirst();
    return fee?.amount_minor === 200_000;
  });
  await approve(engine, deal, 'invoice');
  await invoiceIn(engine, deal, 'void');
  await pay(engine, await issue(engine, deal, '2026-04-01'), '2026-04-10');
  await playTo(engine, deal, '2026-05-06T08:00:00.000Z');
  expect((await deal.handle.result()).outcome).toBe('cancelled');
  expect((await documentsOf(deal)).map((each) => [each.kind, each.net_minor])).toEqual([['advance-fee', 200_000]]);
  expect(await whatIsOpen(engine, deal.dealId)).toEqual({});
});

test('hours approved after the settlement of their month are billed in the next run, also when the line had finished; the rest is waived', async () => {
  const lines = [retainer({ startDate: '2026-06-01', endDate: '2026-06-30', rollover: null })];
  const deal = await startDeal(engine, testDeal({ lines }), '2026-05-11T14:00:00.000Z');
  await bringToDelivery(engine, deal);
  await playTo(engine, deal, '2026-05-30T00:00:00.000Z');
  const fee = await issue(engine, deal, '2026-06-01');
  deal.now = '2026-06-20T12:00:00.000Z';
  await reportTime(engine, deal, 'C', [
    { entryId: 'A', workDate: '2026-06-09', hours: '19', approvedAt: '2026-06-15T12:00:00.000Z' },
    { entryId: 'B', workDate: '2026-06-10', hours: '3', approvedAt: '2026-06-15T12:00:00.000Z' },
  ]);
  await playTo(engine, deal, '2026-07-06T08:00:00.000Z');
  const first = await issue(engine, deal, '2026-07-06');

  deal.now = '2026-07-10T12:00:00.000Z';
  await reportTime(engine, deal, 'C', [{ entryId: 'C', workDate: '2026-06-02', hours: '2.5', approvedAt: '2026-07-09T12:00:00.000Z' }]);
  expect(await plannedItem(deal, 'C', 'overage/2026-06/2')).toMatchObject({ state: 'planned', issue_date: '2026-08-06' });
  await expectShownAsWaiting(engine, deal.dealId);
  for (const invoice of [fee, first]) await pay(engine, invoice, '2026-07-20');
  expect(await statusOf(deal)).toBe('RUNNING');
  await playTo(engine, deal, '2026-08-06T08:00:00.000Z');
  await pay(engine, await issue(engine, deal, '2026-08-06'), '2026-08-20');
  await (await handleOf(engine, deal, 'C')).result();
  await reach(engine, deal, 'closing');

  deal.now = '2026-08-24T12:00:00.000Z';
  await reportTime(engine, deal, 'C', [{ entryId: 'D', workDate: '2026-06-03', hours: '4', approvedAt: '2026-08-24T11:00:00.000Z' }]);
  await plannedItem(deal, 'C', 'overage/2026-06/3');
  await until('the line to run again', async () => (await statusOf(deal)) === 'RUNNING');
  await expectShownAsWaiting(engine, deal.dealId);
  expect(await refusalOf(waive(deal, { hours: '4.5' }))).toBe('WaiverExceedsOverage');
  expect(await refusalOf(waive(deal, { hours: '-1' }))).toBe('WaiverExceedsOverage');
  expect(await refusalOf(waive(deal, { period: '2026-07' }))).toBe('OverageNotOpen');
  expect(await refusalOf(waive(deal, { by: 'U-PM-US' }))).toBe('DutiesConflict');
  await waive(deal, { hours: '1.5' });
  await playTo(engine, deal, '2026-09-08T12:00:00.000Z');
  await pay(engine, await issue(engine, deal, '2026-09-08'), '2026-09-15');
  await (await handleOf(engine, deal, 'C')).result();
  expect(await overageOf(deal)).toEqual({
    'C-2026-06-OV': ['B 2 h 60000'],
    'C-2026-06-OV2': ['C 2.5 h 75000'],
    'C-2026-06-OV3': ['D 2.5 h 75000'],
  });

  deal.now = '2026-09-16T12:00:00.000Z';
  await reportTime(engine, deal, 'C', [{ entryId: 'E', workDate: '2026-06-04', hours: '1', approvedAt: '2026-09-16T11:00:00.000Z' }]);
  await plannedItem(deal, 'C', 'overage/2026-06/4');
  await signOff(engine, deal, '2026-09-17');
  const stuck = await openWaits(engine, deal.dealId);
  expect(
    stuck
      .filter((wait) => wait.kind === 'close-checklist')
      .map((wait) => wait.subject)
      .sort(),
  ).toEqual(['LinesEnded', 'PlanBilled', 'RevenueTrue']);
  await waive(deal, { hours: '1', reasonCode: 'approved-too-late' });
  await (await handleOf(engine, deal, 'C')).result();
  await approve(engine, deal, 'project-close');
  expect((await deal.handle.result()).outcome).toBe('closed');
  expect(await whatIsOpen(engine, deal.dealId)).toEqual({});
});
