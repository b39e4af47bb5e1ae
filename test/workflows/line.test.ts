import { randomUUID } from 'node:crypto';
import { invoiceWorkflowId } from '../../domain/ids';
import { lineQuery, releaseItemUpdate, reportUsageUpdate } from '../../workflows/contract-line/messages';
import { recheckProjectSignal } from '../../workflows/project-to-close/messages';
import { bankStatement } from '../support/cash';
import { accept, fillHistory, handleOf, invoiceIn, issue, pay, signOff } from '../support/delivery';
import {
  approve,
  bringToDelivery,
  milestones,
  openWaits,
  pendingApproval,
  playTo,
  reach,
  refusalOf,
  refuse,
  requestCancellation,
  service,
  startDeal,
  testDeal,
  until,
} from '../support/lifecycles';
import { whatIsOpen } from '../support/open-work';
import { expectShownAsWaiting } from '../support/shown';
import { startTestEngine, type TestEngine } from '../support/worker';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startTestEngine();
});
afterAll(() => engine.stop());

// The tests share the number series of their entities, which never goes back in time: each begins where the one before has ended, or later.

test('a deal cancelled while it delivers stops its lines, bills what was earned, and ends when that is paid', async () => {
  const deal = await startDeal(engine, testDeal({ lines: [milestones(), service({ endDate: '2026-06-30' })] }));
  await bringToDelivery(engine, deal);
  await playTo(engine, deal, '2026-02-01T00:00:00.000Z');
  const fee = await issue(engine, deal, '2026-02-02');
  await accept(engine, deal, 'M1', '2026-02-12');
  await requestCancellation(engine, deal, '2026-02-28');
  await approve(engine, deal, 'cancellation');
  await reach(engine, deal, 'cancelling');
  await expectShownAsWaiting(engine, deal.dealId);
  expect(await refusalOf(requestCancellation(engine, deal, '2026-03-20'))).toBe('CancellationPending');

  const milestone = await issue(engine, deal, '2026-02-13');
  const support = await handleOf(engine, deal, 'B');
  const report = { eventId: randomUUID(), servicePeriod: '2026-02', tickets: 110, p1Tickets: 0, p1WithinTarget: 0, supersedes: null };
  deal.now = '2026-03-02T10:00:00.000Z';
  await support.executeUpdate(reportUsageUpdate, { args: [{ ...report, reportedAt: deal.now, by: 'U-PM-EU', at: deal.now }] });
  await playTo(engine, deal, '2026-03-06T08:00:00.000Z');
  const settlement = await issue(engine, deal, '2026-03-06');
  for (const invoice of [milestone, fee]) await pay(engine, invoice, '2026-03-10');
  expect((await deal.handle.describe()).status.name).toBe('RUNNING');
  await pay(engine, settlement, '2026-03-11');
  expect((await deal.handle.result()).outcome).toBe('cancelled');
  expect(await whatIsOpen(engine, deal.dealId)).toEqual({});
  const { statement } = await engine.db
    .selectFrom('cancellation_statement')
    .select('statement')
    .where('deal_id', '=', deal.dealId)
    .executeTakeFirstOrThrow();
  const sums = { stoppedOn: '2026-02-28', owedMinor: 0 };
  const feesAndTickets = 1_190_000 + 47_600;
  expect(statement).toEqual([
    { lineId: 'A', currency: 'USD', billedMinor: 5_000_000, settledMinor: 5_000_000, netMinor: 5_000_000, earnedMinor: null, ...sums },
    {
      lineId: 'B',
      currency: 'EUR',
      billedMinor: feesAndTickets,
      settledMinor: feesAndTickets,
      netMinor: 1_040_000,
      earnedMinor: 1_040_000,
      ...sums,
    },
  ]);
});

test('a payment that the bank takes back opens its settled invoice again, and it is collected in a new run', async () => {
  const deal = await startDeal(engine, testDeal());
  await bringToDelivery(engine, deal);
  await accept(engine, deal, 'M1', '2026-03-04');
  const invoice = await issue(engine, deal, '2026-03-05');
  const run = engine.client.workflow.getHandle(invoiceWorkflowId(invoice.id));
  const { runId } = await run.describe();
  await pay(engine, invoice, '2026-03-20');
  await invoiceIn(engine, deal, 'settled');

  await bankStatement(engine, [{ reference: invoice.reference, minor: invoice.total_minor, on: '2026-03-27', returned: true }]);
  const again = await invoiceIn(engine, deal, 'issued');
  expect([again.open_minor, again.number, again.due_date]).toEqual([invoice.total_minor, invoice.number, invoice.due_date]);
  await until('the new run to wait', async () => (await openWaits(engine, deal.dealId)).some((wait) => wait.kind === 'payment'));
  expect((await run.describe()).runId).not.toBe(runId);
  await playTo(engine, deal, '2026-04-20T00:00:00.000Z');
  const steps = await engine.db.selectFrom('dunning_step').select('name').where('invoice_id', '=', invoice.id).orderBy('level').execute();
  expect(steps.map((step) => step.name)).toEqual(['due-soon', 'reminder', 'first-notice']);
  await pay(engine, again, '2026-04-21');
  await invoiceIn(engine, deal, 'settled');
});

test('a line lives for years: a refused draft is billed again, an invoice outlives a new run of its line, and the project closes', async () => {
  const deal = await startDeal(engine, testDeal());
  await bringToDelivery(engine, deal);
  await expectShownAsWaiting(engine, deal.dealId);
  const line = await handleOf(engine, deal, 'A');

  await accept(engine, deal, 'M1', '2026-03-04');
  await pendingApproval(engine, deal, 'invoice');
  await refuse(engine, deal, 'invoice', 'U-FC-US', 'the order number is wrong');
  const voided = await invoiceIn(engine, deal, 'void');
  const held = await until('the item to be held', async () =>
    (await openWaits(engine, deal.dealId)).find((wait) => wait.kind === 'held-item'),
  );
  expect(held).toMatchObject({ role: 'finance-controller', asks: 'the draft was refused; release the item to bill it again' });
  const words = await engine.db
    .selectFrom('free_text')
    .select('body')
    .where('id', '=', held.reason_id ?? '')
    .executeTakeFirst();
  expect(words).toEqual({ body: 'the order number is wrong' });
  await expectShownAsWaiting(engine, deal.dealId);
  const release = (releaseId: string) =>
    line.executeUpdate(releaseItemUpdate, { args: [{ releaseId, itemKey: 'milestone/M1', by: 'U-FC-US', at: deal.now }] });
  await release(randomUUID());
  expect(await refusalOf(release(randomUUID()))).toBe('ItemNotHeld');
  const first = await issue(engine, deal, '2026-03-05');
  expect(first.reference).not.toBe(voided.reference);
  expect([first.billing_plan_item_id, first.total_minor]).toEqual([voided.billing_plan_item_id, 5_000_000]);
  await expectShownAsWaiting(engine, deal.dealId);

  const [before] = [await line.describe()];
  await fillHistory(line, deal.now);
  await until('a new run of the line', async () => (await line.describe()).runId !== before.runId);
  const ended = await engine.client.workflow.getHandle(before.workflowId, before.runId).describe();
  expect(ended.status.name).toBe('CONTINUED_AS_NEW');
  await until('the new run to have looked', async () => (await line.query(lineQuery))?.openInvoices === 1);
  await expectShownAsWaiting(engine, deal.dealId);
  await pay(engine, first, '2026-03-20');
  await until('the end of the invoice to reach the new run', async () => (await line.query(lineQuery))?.openInvoices === 0);

  await accept(engine, deal, 'M2', '2026-06-10');
  await pay(engine, await issue(engine, deal, '2026-06-11'), '2026-06-20');
  await line.result();
  await reach(engine, deal, 'closing');

  const project = await signOff(engine, deal, '2026-06-25');
  await refuse(engine, deal, 'project-close', 'U-PMO');
  await until('the close to be sent back', async () =>
    (await openWaits(engine, deal.dealId)).some((wait) => wait.kind === 'close-refused'),
  );
  await expectShownAsWaiting(engine, deal.dealId);
  await project.signal(recheckProjectSignal, { at: deal.now });
  await approve(engine, deal, 'project-close');
  expect((await deal.handle.result()).outcome).toBe('closed');
  expect(await whatIsOpen(engine, deal.dealId)).toEqual({});
});

test('a deal cancelled while its close is decided takes the question back and leaves nothing open', async () => {
  const one = [{ milestoneId: 'M1', name: 'All', percent: '100', plannedDate: '2026-03-31' }];
  const deal = await startDeal(engine, testDeal({ lines: [milestones({ milestones: one })] }));
  await bringToDelivery(engine, deal);
  await accept(engine, deal, 'M1', '2026-06-10');
  await pay(engine, await issue(engine, deal, '2026-06-11'), '2026-06-20');
  await signOff(engine, deal, '2026-06-25');
  await pendingApproval(engine, deal, 'project-close');
  await requestCancellation(engine, deal, '2026-06-30');
  await approve(engine, deal, 'cancellation');
  expect((await deal.handle.result()).outcome).toBe('cancelled');
  expect(await whatIsOpen(engine, deal.dealId)).toEqual({});
});
