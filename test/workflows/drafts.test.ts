import { randomUUID } from 'node:crypto';
import { invoiceWorkflowId } from '../../domain/ids';
import { retrySignal } from '../../workflows/activity-proxies';
import { reportUsageUpdate } from '../../workflows/contract-line/messages';
import { handleOf, invoiceIn, issue, pay } from '../support/delivery';
import {
  approve,
  bringToDelivery,
  openWaits,
  pendingApproval,
  playTo,
  requestCancellation,
  service,
  startDeal,
  testDeal,
  until,
  type TestDeal,
} from '../support/lifecycles';
import { whatIsOpen } from '../support/open-work';
import { startTestEngine, type TestEngine } from '../support/worker';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startTestEngine();
});
afterAll(() => engine.stop());

// The tests share the tax rates and the number series of LE-DE, which never goes back in time: each begins where the one before has ended.

const FEE = 1_000_000;

async function delivering(over: { startDate: string; endDate: string }): Promise<TestDeal> {
  const deal = await startDeal(engine, testDeal({ ...over, lines: [service(over)] }));
  await bringToDelivery(engine, deal);
  return deal;
}

/** From a day on the rate of Germany is another; without one there is none from then on. */
async function rateEnds(lastDay: string): Promise<void> {
  await engine.db.updateTable('tax_rate').set({ valid_to: lastDay }).where('country', '=', 'DE').where('valid_to', 'is', null).execute();
}
async function rateBegins(validFrom: string, percent: string): Promise<void> {
  await engine.db
    .insertInto('tax_rate')
    .values({ country: 'DE', kind: 'VAT', rate_percent: percent, valid_from: validFrom, valid_to: null })
    .execute();
}

const documentOf = (id: string) => engine.db.selectFrom('invoice').selectAll().where('id', '=', id).executeTakeFirstOrThrow();

/** Every approval of a document in its order, with what was shown. */
async function approvalsOf(id: string) {
  const rows = await engine.db.selectFrom('approval').selectAll().where('subject_id', '=', id).orderBy('opened_at').execute();
  return rows.map(({ state, shown }) => ({ state, shown: shown as Record<'contentHash' | 'plannedIssueDate', string> & { tax: unknown } }));
}

const secondApproval = (deal: TestDeal, firstId: string) =>
  until('the draft to be shown again', async () => {
    const asked = await pendingApproval(engine, deal, 'invoice');
    return asked.id !== firstId && asked;
  });

test('a draft whose late approval moves its day over a change of the tax is computed anew and approved anew; what was shown is issued', async () => {
  const deal = await delivering({ startDate: '2026-02-01', endDate: '2026-02-28' });
  await playTo(engine, deal, '2026-02-01T00:00:00.000Z');
  const first = await pendingApproval(engine, deal, 'invoice');
  const { id, content_hash: before } = await documentOf(first.subject_id);
  await rateEnds('2026-02-04');
  deal.now = '2026-02-10T09:00:00.000Z';
  await approve(engine, deal, 'invoice');
  const stuck = await until('the rate to be missed', async () =>
    (await openWaits(engine, deal.dealId)).find((wait) => wait.kind === 'stuck'),
  );
  expect(stuck).toMatchObject({ workflow_id: invoiceWorkflowId(id), role: 'finance-controller', entity_id: 'LE-DE' });
  expect(stuck.asks).toMatch(/^TaxRateMissing/);

  await rateBegins('2026-02-05', '16');
  await engine.client.workflow.getHandle(invoiceWorkflowId(id)).signal(retrySignal);
  const second = await secondApproval(deal, first.id);
  expect(await documentOf(id)).toMatchObject({ state: 'draft', planned_issue_date: '2026-02-10', tax_minor: 160_000, number: null });
  expect(second.shown).toMatchObject({ plannedIssueDate: '2026-02-10', tax: { amount: '1600.00' }, total: { amount: '11600.00' } });

  const issued = await issue(engine, deal, '2026-02-10');
  expect(issued).toMatchObject({
    id,
    issue_date: '2026-02-10',
    net_minor: FEE,
    tax_minor: 160_000,
    total_minor: 1_160_000,
    open_minor: 1_160_000,
    tax_rate_percent: '16',
  });
  expect((await approvalsOf(id)).map(({ state, shown }) => [state, shown.contentHash])).toEqual([
    ['approved', before],
    ['approved', issued.content_hash],
  ]);
  const tax = await engine.db
    .selectFrom('invoice_line')
    .select((eb) => eb.fn.sum('tax_minor').as('sum'))
    .where('invoice_id', '=', id)
    .executeTakeFirstOrThrow();
  expect(Number(tax.sum)).toBe(160_000);
  await pay(engine, issued, '2026-02-20');
  await deal.handle.terminate();
});

test('a document that could be issued only after a change of the tax takes no number, and is issued as approved anew', async () => {
  const deal = await delivering({ startDate: '2026-03-01', endDate: '2026-03-31' });
  await playTo(engine, deal, '2026-02-27T12:00:00.000Z');
  const first = await pendingApproval(engine, deal, 'invoice');
  const id = first.subject_id;
  await approve(engine, deal, 'invoice');
  await invoiceIn(engine, deal, 'approved');
  const series = () =>
    engine.db
      .selectFrom('number_series')
      .select(['last_number', 'last_date'])
      .where('entity_id', '=', 'LE-DE')
      .where('series', '=', 'INV')
      .executeTakeFirstOrThrow();
  const { last_number: last } = await series();
  await engine.db.updateTable('number_series').set({ last_date: '2026-03-05' }).where('entity_id', '=', 'LE-DE').execute();
  await rateEnds('2026-03-03');
  await rateBegins('2026-03-04', '19');

  const played = playTo(engine, deal, '2026-03-02T12:00:00.000Z');
  await secondApproval(deal, first.id);
  await played;
  expect(await series()).toEqual({ last_number: last, last_date: '2026-03-05' });
  const issued = await issue(engine, deal, '2026-03-05');
  expect(issued).toMatchObject({ id, issue_date: '2026-03-05', tax_minor: 190_000, total_minor: 1_190_000 });
  expect(issued.number).toMatch(new RegExp(`-0*${last + 1}$`));
  expect((await approvalsOf(id)).map(({ shown }) => shown.plannedIssueDate)).toEqual(['2026-03-02', '2026-03-05']);
  await pay(engine, issued, '2026-03-20');
  await deal.handle.terminate();
});

test('a draft that is approved after its line was stopped before its month is void, its run ends, and the cancellation with it', async () => {
  const deal = await delivering({ startDate: '2026-04-01', endDate: '2026-06-30' });
  await playTo(engine, deal, '2026-04-01T00:00:00.000Z');
  await pay(engine, await issue(engine, deal, '2026-04-01'), '2026-04-20');
  await playTo(engine, deal, '2026-04-30T12:00:00.000Z');
  const { subject_id: id } = await pendingApproval(engine, deal, 'invoice');
  expect(await documentOf(id)).toMatchObject({ period: '2026-05', state: 'draft' });
  await requestCancellation(engine, deal, '2026-04-30');
  await approve(engine, deal, 'cancellation');
  await until('the line to be stopped', () =>
    engine.db
      .selectFrom('contract_line')
      .select('id')
      .where('deal_id', '=', deal.dealId)
      .where('stopped_on', 'is not', null)
      .executeTakeFirst(),
  );

  await approve(engine, deal, 'invoice');
  const run = engine.client.workflow.getHandle(invoiceWorkflowId(id));
  await run.result();
  expect(await documentOf(id)).toMatchObject({ state: 'void', number: null });
  const item = await engine.db
    .selectFrom('billing_plan_item as item')
    .innerJoin('invoice', 'invoice.billing_plan_item_id', 'item.id')
    .select(['item.state', 'item.held_reason'])
    .where('invoice.id', '=', id)
    .executeTakeFirstOrThrow();
  expect(item).toEqual({ state: 'void', held_reason: null });
  const posted = await engine.db.selectFrom('journal_entry').select('id').where('entry_key', 'like', `%${id}%`).execute();
  expect(posted).toEqual([]);

  const report = { eventId: randomUUID(), servicePeriod: '2026-04', tickets: 10, p1Tickets: 0, p1WithinTarget: 0, supersedes: null };
  deal.now = '2026-05-02T10:00:00.000Z';
  const line = await handleOf(engine, deal, 'B');
  await line.executeUpdate(reportUsageUpdate, { args: [{ ...report, reportedAt: deal.now, by: 'U-PM-EU', at: deal.now }] });
  await playTo(engine, deal, '2026-05-08T08:00:00.000Z');
  expect((await deal.handle.result()).outcome).toBe('cancelled');
  expect(await whatIsOpen(engine, deal.dealId)).toEqual({});
});
