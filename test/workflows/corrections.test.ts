import { correctionWorkflowId, invoiceWorkflowId, lineWorkflowId } from '../../domain/ids';
import { verifyBooks } from '../../db/books/verify';
import { requestCorrectionUpdate } from '../../workflows/invoice-correction/messages';
import { bankStatement } from '../support/cash';
import { correctionInput, dispute, documentOf, REBILL, rebillOf, tellCorrection, uphold } from '../support/corrections';
import { accept, issue, pay, signOff } from '../support/delivery';
import {
  approve,
  bringToDelivery,
  decide,
  milestones,
  openWaits,
  pendingApproval,
  refusalOf,
  refuse,
  startDeal,
  testDeal,
  until,
  type TestDeal,
} from '../support/lifecycles';
import { whatIsOpen } from '../support/open-work';
import { expectShownAsWaiting, shown } from '../support/shown';
import { startTestEngine, type TestEngine } from '../support/worker';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startTestEngine();
});
afterAll(() => engine.stop());

type Invoice = Awaited<ReturnType<typeof issue>>;

async function invoiced(): Promise<{ deal: TestDeal; invoice: Invoice }> {
  const deal = await startDeal(engine, testDeal({ lines: [milestones()] }));
  await bringToDelivery(engine, deal);
  // Every case begins in spring anew, but no number is dated before the one of the case before.
  await engine.db.updateTable('number_series').set({ last_date: '2026-03-01' }).execute();
  await accept(engine, deal, 'M1', '2026-03-10');
  return { deal, invoice: await issue(engine, deal, '2026-03-11') };
}

const ended = (workflowId: string) =>
  until(`${workflowId} to end`, async () => (await engine.client.workflow.getHandle(workflowId).describe()).status.name === 'COMPLETED');
const waitsOf = async (deal: TestDeal, workflowId: string) =>
  (await openWaits(engine, deal.dealId))
    .filter((wait) => wait.workflow_id === workflowId)
    .map((wait) => `${wait.kind} ${wait.role}`)
    .sort();
const ask = (deal: TestDeal, invoice: Invoice, over: Parameters<typeof correctionInput>[2] = {}) =>
  tellCorrection(engine, invoice, requestCorrectionUpdate, correctionInput(REBILL, deal.now, over));

test('a dispute that is upheld ends in a credit and a rebill, which is collected by itself; the deal closes with every invoice settled or credited', async () => {
  const { deal, invoice } = await invoiced();
  const run = correctionWorkflowId(invoice.id);
  const disputeId = await dispute(engine, invoice, deal.now);
  expect(await waitsOf(deal, run)).toEqual(['dispute project-manager']);
  expect((await shown(engine, run)).details).toContain('project-manager');
  await until('collection to rest', async () => (await waitsOf(deal, invoiceWorkflowId(invoice.id))).join() === 'payment customer');
  await expectShownAsWaiting(engine, deal.dealId);
  await uphold(engine, invoice, disputeId, deal.now);
  await ended(run);
  await until('finance to be asked', async () =>
    (await waitsOf(deal, invoiceWorkflowId(invoice.id))).includes('dispute finance-controller'),
  );

  const correctionId = 'correction-of-the-first-milestone';
  const receipt = await ask(deal, invoice, { correctionId, disputeId });
  expect((await ask(deal, invoice, { correctionId, disputeId })).approvalId).toBe(receipt.approvalId);
  expect(await refusalOf(ask(deal, invoice))).toBe('CorrectionOpen');
  const approval = await pendingApproval(engine, deal, 'correction');
  expect(await refusalOf(decide(engine, approval, { by: 'U-AR', at: deal.now }))).toBe('ApproverIsRequester');
  await approve(engine, deal, 'correction');
  const rebill = await rebillOf(engine, invoice.id);
  await ended(run);
  await ended(invoiceWorkflowId(invoice.id));
  expect(await documentOf(engine.db, invoice.id)).toMatchObject({ state: 'credited', open_minor: 0 });
  expect(rebill).toMatchObject({ reference: `${invoice.reference}-R1`, due_date: invoice.due_date, total_minor: invoice.total_minor });

  await pay(engine, rebill, '2026-03-20');
  await accept(engine, deal, 'M2', '2026-06-10');
  await pay(engine, await issue(engine, deal, '2026-06-11'), '2026-06-20');
  await signOff(engine, deal, '2026-06-25');
  await approve(engine, deal, 'project-close');
  expect((await deal.handle.result()).outcome).toBe('closed');
  expect(await whatIsOpen(engine, deal.dealId)).toEqual({});
  const states = await engine.db.selectFrom('invoice').select('state').where('deal_id', '=', deal.dealId).orderBy('reference').execute();
  expect(states.map(({ state }) => state)).toEqual(['credited', 'settled', 'settled', 'settled']);
  expect(await refusalOf(ask(deal, rebill))).toBe('ProjectClosed');
  await ended(correctionWorkflowId(rebill.id));
  expect((await verifyBooks(engine.db)).ties.filter(({ broken }) => broken.length > 0)).toEqual([]);
});

test('an invoice whose run has ended is corrected too: its money moves to the rebill, and where it comes back that is collected again', async () => {
  const { deal, invoice } = await invoiced();
  await pay(engine, invoice, '2026-03-20');
  await accept(engine, deal, 'M2', '2026-06-10');
  await pay(engine, await issue(engine, deal, '2026-06-11'), '2026-06-20');
  await ended(lineWorkflowId(invoice.contract_line_id));
  deal.now = '2026-06-22T15:00:00.000Z';
  await ask(deal, invoice);
  await approve(engine, deal, 'correction');
  const rebill = await rebillOf(engine, invoice.id);
  await ended(correctionWorkflowId(invoice.id));
  await ended(invoiceWorkflowId(rebill.id));
  expect(await documentOf(engine.db, rebill.id)).toMatchObject({ state: 'settled', open_minor: 0 });

  const returned = [{ reference: invoice.reference, minor: invoice.total_minor, on: '2026-06-23', returned: true }];
  await bankStatement(engine, returned);
  await until('the rebill to be collected', async () => (await waitsOf(deal, invoiceWorkflowId(rebill.id))).includes('payment customer'));
  expect(await documentOf(engine.db, invoice.id)).toMatchObject({ state: 'credited', open_minor: 0 });
  await pay(engine, rebill, '2026-06-24');
  await signOff(engine, deal, '2026-06-25');
  await approve(engine, deal, 'project-close');
  expect((await deal.handle.result()).outcome).toBe('closed');
});

test('a correction that is refused changes nothing, and another one may be asked for; a closing project waits for it', async () => {
  const { deal, invoice } = await invoiced();
  await pay(engine, invoice, '2026-03-20');
  await ask(deal, invoice);
  await refuse(engine, deal, 'correction', 'U-FC-US');
  await ended(correctionWorkflowId(invoice.id));
  expect(await documentOf(engine.db, invoice.id)).toMatchObject({ state: 'settled', credited_on: null });
  await accept(engine, deal, 'M2', '2026-06-10');
  await pay(engine, await issue(engine, deal, '2026-06-11'), '2026-06-20');
  const correctionId = 'correction-of-a-closing-project';
  await ask(deal, invoice, { correctionId });
  const checklist = async () =>
    (await openWaits(engine, deal.dealId)).filter((wait) => wait.kind === 'close-checklist').map((wait) => wait.subject);
  await until('the project to wait for the correction', async () => (await checklist()).includes('HoldsLifted'));
  await refuse(engine, deal, 'correction', 'U-FC-US');
  await until('the project to wait for it no more', async () => (await checklist()).join() === 'CustomerSignedOff');
  await deal.handle.terminate();
});
