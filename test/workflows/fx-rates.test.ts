import { dealWorkflowId, intakeWorkflowId, invoiceWorkflowId } from '../../domain/ids';
import { putInboxEvent } from '../../db/inbox';
import { readMasterDataFolder } from '../../integrations/master-data/folder';
import { STANDARD_POLICIES } from '../../scripts/seed-folder';
import { enqueueSignal } from '../../workflows/intake/messages';
import { intake } from '../../workflows/intake/workflow';
import { issue, pay } from '../support/delivery';
import {
  approve,
  bringToDelivery,
  openWaits,
  pendingApproval,
  playTo,
  proposeTerms,
  reach,
  requestCancellation,
  service,
  startDeal,
  testDeal,
  until,
  type TestDeal,
} from '../support/lifecycles';
import { REFERENCE_FOLDER } from '../support/reference-deal';
import { shown } from '../support/shown';
import { uniqueName } from '../support/temporal';
import { startTestEngine, type TestEngine } from '../support/worker';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startTestEngine();
});
afterAll(() => engine.stop());

const loseRates = (quote: string) => engine.db.deleteFrom('fx_rate').where('quote', '=', quote).execute();

/** The firm's files come in once more, with all their rates, as the door hands them on. */
async function masterDataComes(at: string): Promise<void> {
  const name = uniqueName('master-data');
  const { row } = await putInboxEvent(engine.db, {
    source: 'api',
    eventId: name,
    type: 'master-data',
    subject: name,
    sourceOrder: '1',
    occurredAt: at,
    businessReceivedAt: at,
    payload: readMasterDataFolder(REFERENCE_FOLDER, STANDARD_POLICIES),
  });
  const stream = await engine.client.workflow.signalWithStart(intake, {
    workflowId: intakeWorkflowId(name),
    taskQueue: engine.taskQueue,
    args: [{ stream: name, clock: { simulated: true, moment: at } }],
    signal: enqueueSignal,
    signalArgs: [{ inboxEventId: row.id, at }],
  });
  await stream.result();
}

const waitOf = (deal: TestDeal, kind: string) =>
  until(`a wait of kind ${kind}`, async () => (await openWaits(engine, deal.dealId)).find((wait) => wait.kind === kind));

const openReports = (dealId: string) =>
  engine.db.selectFrom('process_exception').selectAll().where('deal_id', '=', dealId).where('closed_at', 'is', null).execute();

const yen = service({ sellingEntityId: 'LE-JP', billToId: 'BA-JP', currency: 'JPY', monthlyFee: { minor: 900_000, currency: 'JPY' } });

test('a deal in a currency without rate waits in its handoff for finance, and goes on when the rates come', async () => {
  await loseRates('JPY');
  const line = { ...yen, overagePerTicket: { minor: 500, currency: 'JPY' } } as typeof yen;
  const deal = await startDeal(engine, testDeal({ lines: [line] }));
  expect(await waitOf(deal, 'handoff')).toMatchObject({
    role: 'finance-controller',
    asks: '1 missing: FxRateMissing (fxRates.JPY.2026-01-23)',
  });
  expect((await shown(engine, dealWorkflowId(deal.dealId))).details).toContain('FxRateMissing (fxRates.JPY.2026-01-23)');
  await masterDataComes(deal.now);
  await reach(engine, deal, 'terms');
  await deal.handle.terminate();
});

test('rates that are gone when the deal is asked for make it wait for finance, who see it, and it is asked for when they come', async () => {
  const deal = await startDeal(engine, testDeal({ lines: [service()] }));
  await reach(engine, deal, 'terms');
  await proposeTerms(deal);
  await loseRates('USD');
  await approve(engine, deal, 'sow');
  const wait = await waitOf(deal, 'stuck');
  expect(wait).toMatchObject({
    role: 'finance-controller',
    entity_id: 'LE-US',
    workflow_id: dealWorkflowId(deal.dealId),
    subject: 'settleSowProposal',
    asks: 'FxRateMissing: no rate EUR/USD on or before 2026-01-23',
  });
  expect(await openReports(deal.dealId)).toMatchObject([{ kind: 'stuck/settleSowProposal', owner_role: 'finance-controller' }]);
  await until('the run to say so', async () =>
    (await shown(engine, wait.workflow_id)).details.includes('waits for **finance-controller**'),
  );
  await masterDataComes(deal.now);
  expect((await pendingApproval(engine, deal, 'deal')).opened_at).toBe(deal.now);
  expect(await openReports(deal.dealId)).toEqual([]);
  await deal.handle.terminate();
});

test('a cancellation is asked for also where there are no rates: its approval needs none', async () => {
  const deal = await startDeal(engine, testDeal({ lines: [service()] }));
  await bringToDelivery(engine, deal);
  await loseRates('USD');
  const approvalId = await requestCancellation(engine, deal, '2026-03-31');
  expect(await pendingApproval(engine, deal, 'cancellation')).toMatchObject({ id: approvalId });
  await masterDataComes(deal.now);
  await deal.handle.terminate();
});

test('an invoice whose amount cannot be compared with the limits waits for the finance of its entity, and is issued after all', async () => {
  const deal = await startDeal(engine, testDeal({ lines: [service({ endDate: '2026-02-28' })] }));
  await bringToDelivery(engine, deal);
  await loseRates('USD');
  await playTo(engine, deal, '2026-02-01T00:00:00.000Z');
  expect(await waitOf(deal, 'stuck')).toMatchObject({ role: 'finance-controller', entity_id: 'LE-DE', subject: 'openInvoice' });
  await masterDataComes(deal.now);
  const invoice = await issue(engine, deal, '2026-02-02');
  await pay(engine, invoice, '2026-02-20');
  expect((await engine.client.workflow.getHandle(invoiceWorkflowId(invoice.id)).describe()).status.name).toBe('COMPLETED');
  await deal.handle.terminate();
});
