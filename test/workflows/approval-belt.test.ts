import { hashOf } from '../../db/hash';
import { type Approval } from '../../domain/approval/state';
import { type DealTerms } from '../../domain/deal/terms';
import { accept, invoiceIn } from '../support/delivery';
import {
  approve,
  bringToDelivery,
  openWaits,
  pendingApproval,
  playTo,
  bringToTerms,
  reach,
  startDeal,
  testDeal,
  until,
  type TestDeal,
} from '../support/lifecycles';
import { startTestEngine, type TestEngine } from '../support/worker';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startTestEngine();
});
afterAll(() => engine.stop());

/** Why a run of the deal does not go on. */
const stuckOn = (deal: TestDeal, effect: string) =>
  until(`${effect} to be refused`, async () => {
    const stuck = await engine.db.selectFrom('open_wait').selectAll().where('kind', '=', 'stuck').where('closed_at', 'is', null).execute();
    return stuck.find((wait) => wait.subject === effect && wait.deal_id === deal.dealId)?.asks;
  });

const retry = (workflowId: string) => engine.client.workflow.getHandle(workflowId).signal('retry');

/** A deal whose approval is asked for, and the terms that are to be approved. */
async function askedDeal(): Promise<{ deal: TestDeal; terms: DealTerms }> {
  const deal = await startDeal(engine, testDeal());
  await bringToTerms(engine, deal);
  await approve(engine, deal, 'sow');
  await pendingApproval(engine, deal, 'deal');
  const row = await engine.db.selectFrom('deal').select('governing_terms').where('id', '=', deal.dealId).executeTakeFirstOrThrow();
  return { deal, terms: row.governing_terms as DealTerms };
}

const putTerms = (deal: TestDeal, terms: DealTerms) =>
  engine.db
    .updateTable('deal')
    .set({ governing_terms: JSON.stringify(terms) })
    .where('id', '=', deal.dealId)
    .execute();

const versions = (deal: TestDeal) =>
  engine.db.selectFrom('contract_version').select('version').where('deal_id', '=', deal.dealId).execute();

test('terms that change behind the approval never become a contract; put back as they were approved, they do', async () => {
  const { deal, terms } = await askedDeal();
  await putTerms(deal, { ...terms, paymentTermsDays: terms.paymentTermsDays + 60 });
  await approve(engine, deal, 'deal');
  expect(await stuckOn(deal, 'createBaseline')).toMatch(/^ApprovedContentChanged/);
  expect(await versions(deal)).toEqual([]);

  await putTerms(deal, terms);
  await retry(`deal/${deal.dealId}`);
  await reach(engine, deal, 'mobilising');
  expect(await versions(deal)).toEqual([{ version: 1 }]);
  await deal.handle.terminate();
});

test('what was shown cannot be rewritten to fit other terms', async () => {
  const { deal, terms } = await askedDeal();
  const { id } = await approvalOf(deal);
  await engine.db
    .updateTable('approval')
    .set((eb) => ({ shown: eb.cast(eb.val(JSON.stringify({ contractNumber: terms.contractNumber })), 'jsonb') }))
    .where('id', '=', id)
    .execute();
  await approve(engine, deal, 'deal');
  expect(await stuckOn(deal, 'createBaseline')).toMatch(/^ApprovedContentChanged/);
  await deal.handle.terminate();
});

test('a document that changes after its approval is not issued, and none whose approval is gone; as approved it is', async () => {
  const deal = await startDeal(engine, testDeal());
  await bringToDelivery(engine, deal);
  await accept(engine, deal, 'M1', '2026-03-30');
  await approve(engine, deal, 'invoice');
  const approved = await invoiceIn(engine, deal, 'approved');
  const { id } = approved;
  const put = (values: { description: string }) =>
    engine.db.updateTable('invoice_line').set(values).where('invoice_id', '=', id).where('position', '=', 0).execute();
  const { description } = await engine.db
    .selectFrom('invoice_line')
    .select('description')
    .where('invoice_id', '=', id)
    .where('position', '=', 0)
    .executeTakeFirstOrThrow();
  await put({ description: 'something else' });
  const played = playTo(engine, deal, `${approved.planned_issue_date}T23:00:00.000Z`);
  expect(await stuckOn(deal, 'issueInvoice')).toMatch(/^ApprovedContentChanged/);

  await put({ description });
  const { record, ...approval } = await approvalOf(deal, id);
  await engine.db
    .updateTable('approval')
    .set({ record: JSON.stringify({ ...record, kind: 'withdrawn', by: 'U-PMO', reasonId: null }) })
    .where('id', '=', approval.id)
    .execute();
  await retry(`invoice/${id}`);
  await until('another refusal', async () => (await stuckOn(deal, 'issueInvoice')).startsWith('ApprovalMissing'));
  expect((await engine.db.selectFrom('invoice').select('number').where('id', '=', id).executeTakeFirstOrThrow()).number).toBeNull();

  await engine.db
    .updateTable('approval')
    .set({ record: JSON.stringify(record) })
    .where('id', '=', approval.id)
    .execute();
  await retry(`invoice/${id}`);
  await invoiceIn(engine, deal, 'issued');
  await played;
  expect((await openWaits(engine, deal.dealId)).filter((wait) => wait.kind === 'stuck')).toEqual([]);
  await deal.handle.terminate();
});

async function approvalOf(deal: TestDeal, subjectId = deal.dealId): Promise<{ id: string; record: Approval }> {
  const row = await engine.db
    .selectFrom('approval')
    .select(['id', 'record', 'shown', 'shown_hash'])
    .where('deal_id', '=', deal.dealId)
    .where('subject_id', '=', subjectId)
    .executeTakeFirstOrThrow();
  expect(hashOf(row.shown)).toBe(row.shown_hash);
  return { id: row.id, record: row.record as Approval };
}
