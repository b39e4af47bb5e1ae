import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { uuidv7 } from 'uuidv7';
import { createActivities } from '../../activities/index';
import { startException } from '../../api/gateway/starts';
import { openedException } from '../../db/exceptions';
import { dealWorkflowId, exceptionWorkflowId, invoiceWorkflowId, periodWorkflowId } from '../../domain/ids';
import { clockSignal } from '../../workflows/clock';
import {
  deliverMilestoneUpdate,
  planRunUpdate,
  releaseItemUpdate,
  reportUsageUpdate,
  waiveUpdate,
} from '../../workflows/contract-line/messages';
import { dealReportedSignal, withdrawChangeUpdate } from '../../workflows/deal-to-cash/messages';
import { chooseOutcomeUpdate } from '../../workflows/exception-path/messages';
import { holdUpdate, liftHoldUpdate } from '../../workflows/invoice-to-cash/messages';
import { booksQuery } from '../../workflows/period-close/messages';
import { periodClose } from '../../workflows/period-close/workflow';
import { recheckProjectSignal } from '../../workflows/project-to-close/messages';
import { inRun } from '../support/activity-run';
import { approvedDeal, approvedInvoice } from '../support/approved';
import { dealRow, timeAndMaterialsLine } from '../support/builders';
import { accountChange, changeOrders, requestChange, signChange } from '../support/change-orders';
import { correctionInput, dispute, REBILL, rebillOf, tellCorrection, uphold } from '../support/corrections';
import { requestCorrectionUpdate } from '../../workflows/invoice-correction/messages';
import { accept, handleOf, issue, pay, signOff } from '../support/delivery';
import {
  approve,
  bringToDelivery,
  bringToKickoff,
  decide,
  milestones,
  openWaits,
  pendingApproval,
  playTo,
  proposeTerms,
  reach,
  refuse,
  requestCancellation,
  retainer,
  service,
  startDeal,
  testDeal,
  until,
  type TestDeal,
} from '../support/lifecycles';
import { loseTaxRegistrations } from '../support/master-data';
import { whatIsOpen } from '../support/open-work';
import { askForCutOffDay, decideOnPolicy, policyChangeSettled } from '../support/policy-runs';
import { reasonOf } from '../support/texts';
import { talkTo } from '../support/talk';
import { reportTime } from '../support/time';
import { everyEffectTwice } from '../support/twice';
import { uniqueName } from '../support/temporal';
import { startTestEngine, type TestEngine } from '../support/worker';

const effects = everyEffectTwice();

let engine: TestEngine;
beforeAll(async () => {
  // The run of a policy has the same name everywhere.
  engine = await startTestEngine({ disguise: effects.disguise, namespace: uniqueName('effects') });
});
afterAll(() => engine.stop());

const waitFor = (deal: TestDeal, kind: string) =>
  until(`the deal to wait for ${kind}`, async () => (await openWaits(engine, deal.dealId)).find((wait) => wait.kind === kind));

const counted = async (table: 'effect' | 'audit_entry' | 'approval_decision') =>
  Number(
    (
      await engine.db
        .selectFrom(table)
        .select((eb) => eb.fn.countAll<number>().as('count'))
        .executeTakeFirstOrThrow()
    ).count,
  );

test('every effect that is done twice, or whose answer is lost, has happened once', async () => {
  const [effectsBefore, entriesBefore] = [await counted('effect'), await counted('audit_entry')];
  await Promise.all([
    declined(),
    cancelledTwice(),
    played(),
    waived(),
    ranOnceMore(),
    booksKept(),
    changedTwice(),
    policyChanged(),
    talked(),
  ]);

  expect(effects.differing).toEqual([]);
  expect(Object.keys(createActivities({ db: engine.db })).filter((name) => !effects.seen.has(name))).toEqual([]);
  expect((await counted('audit_entry')) - entriesBefore).toBe((await counted('effect')) - effectsBefore);
});

/** The terms are sent back and proposed again; a reminder goes out; then the deal is refused. */
async function declined(): Promise<void> {
  const deal = await startDeal(engine, testDeal());
  await reach(engine, deal, 'terms');
  await proposeTerms(deal);
  await refuse(engine, deal, 'sow', 'U-LEGAL');
  await waitFor(deal, 'sow-terms');
  await proposeTerms(deal);
  await approve(engine, deal, 'sow');
  const { due } = await waitFor(deal, 'decision');
  await playTo(engine, deal, due ?? '');
  await refuse(engine, deal, 'deal', 'U-DELDIR');
  expect((await deal.handle.result()).outcome).toBe('declined');
  expect(await whatIsOpen(engine, deal.dealId)).toEqual({});
}

/** A cancellation is refused, the next one granted while the kickoff is decided, and lines that began are stopped. */
async function cancelledTwice(): Promise<void> {
  const early = await startDeal(engine, testDeal());
  await bringToKickoff(engine, early);
  await requestCancellation(engine, early, '2026-01-30');
  await approve(engine, early, 'cancellation');
  const deal = await startDeal(engine, testDeal());
  await bringToDelivery(engine, deal);
  await requestCancellation(engine, deal, '2026-01-30');
  await refuse(engine, deal, 'cancellation', 'U-FC-US');
  await until('the request to be dropped', async () =>
    (await openWaits(engine, deal.dealId)).every((wait) => wait.kind !== 'cancellation'),
  );
  await requestCancellation(engine, deal, '2026-01-30');
  await approve(engine, deal, 'cancellation');
  for (const { handle, dealId } of [early, deal]) {
    expect((await handle.result()).outcome).toBe('cancelled');
    expect(await whatIsOpen(engine, dealId)).toEqual({});
  }
}

/** Finance changes a policy. */
async function policyChanged(): Promise<void> {
  const { changeId, approvalId } = await askForCutOffDay(engine, 4);
  for (const by of ['U-FC-US', 'U-CFO']) await decideOnPolicy(engine, approvalId, by);
  await policyChangeSettled(engine, changeId, 'applied');
}

/** Legal stands back, finance asks and grants under a condition that is fulfilled; the deal is refused then. */
async function talked(): Promise<void> {
  const deal = await startDeal(engine, testDeal());
  await reach(engine, deal, 'terms');
  await proposeTerms(deal);
  const asked = await pendingApproval(engine, deal, 'sow');
  const talk = talkTo(engine, asked.id);
  await talk.recuse('U-LEGAL', deal.now);
  await talk.ask('U-FC-US', deal.now, 'Q-TWICE');
  await talk.answer('U-SELLER', 'Q-TWICE', deal.now);
  const conditions = [await talk.condition('U-FC-US', 'C-TWICE', 'account-executive')];
  await decide(engine, asked, { by: 'U-FC-US', at: deal.now, conditions });
  await decide(engine, asked, { by: 'U-LEGAL2', role: 'legal-counsel', at: deal.now });
  await talk.end('U-SELLER', 'C-TWICE', 'fulfilled', deal.now);
  await reach(engine, deal, 'approval');
  await refuse(engine, deal, 'deal', 'U-DELDIR');
  expect((await deal.handle.result()).outcome).toBe('declined');
}

/** One change order becomes the next contract version, another one is taken back. */
async function changedTwice(): Promise<void> {
  const endsLater = (to: string, from: string) => [{ path: 'lines.A.endDate', from, to, inForceFrom: '2026-03-01' }];
  const deal = await startDeal(engine, testDeal());
  await bringToDelivery(engine, deal);
  const first = await requestChange(engine, deal, endsLater('2026-08-31', '2026-07-31'), { by: 'U-PM-EU' });
  await accountChange(deal, first.changeOrderId);
  await signChange(deal, first.changeOrderId);
  await approve(engine, deal, 'change-order');
  await until('the order to be applied', async () => (await changeOrders(engine, deal))[0]?.state === 'applied');
  const { changeOrderId } = await requestChange(engine, deal, endsLater('2026-09-30', '2026-08-31'), {
    number: 'CO-2',
    contractVersion: 2,
    by: 'U-PM-EU',
  });
  await pendingApproval(engine, deal, 'change-order');
  const withdrawal = { changeOrderId, reasonId: null, by: 'U-PM-EU', at: deal.now };
  await deal.handle.executeUpdate(withdrawChangeUpdate, { args: [withdrawal] });
  await until('its approval to be withdrawn', async () =>
    (await openWaits(engine, deal.dealId)).every((wait) => wait.kind !== 'decision' && wait.kind !== 'change-order'),
  );
  expect((await changeOrders(engine, deal)).map(({ state, version }) => [state, version])).toEqual([
    ['applied', 2],
    ['withdrawn', null],
  ]);
}

/** Finance waives hours beyond a retainer before their run. */
async function waived(): Promise<void> {
  const deal = await startDeal(engine, testDeal({ lines: [retainer()] }));
  await bringToDelivery(engine, deal);
  deal.now = '2026-01-26T12:00:00.000Z';
  await reportTime(engine, deal, 'C', [{ entryId: 'A', workDate: '2026-02-03', hours: '23', approvedAt: deal.now }]);
  const waiver = {
    waiverId: uuidv7(),
    kind: 'overage',
    period: '2026-02',
    hours: '2.5',
    reasonCode: 'goodwill',
    by: 'U-FC-US',
    at: deal.now,
  } as const;
  await (await handleOf(engine, deal, 'C')).executeUpdate(waiveUpdate, { args: [waiver] });
  const decided = await engine.db.selectFrom('billing_waiver').select(['period', 'hours', 'reason_code', 'decided_by']).execute();
  expect(decided).toEqual([{ period: '2026-02', hours: '2.5', reason_code: 'goodwill', decided_by: 'U-FC-US' }]);
}

/** The books of an entity through a soft close and a close. */
async function booksKept(): Promise<void> {
  await startDeal(engine, testDeal({ lines: [retainer()] })).then((deal) => bringToKickoff(engine, deal));
  const moment = '2026-01-23T14:05:20.000Z';
  const handle = await engine.client.workflow.start(periodClose, {
    // The tests of the books keep those of the same entity on the same server.
    workflowId: `${periodWorkflowId('LE-US')}/${uuidv7()}`,
    taskQueue: engine.taskQueue,
    args: [{ entityId: 'LE-US', clock: { simulated: true, moment } }],
  });
  const closes = () => handle.query(booksQuery).then((books) => books?.next);
  await until('the first month to end', async () => (await closes())?.action === 'soft-close');
  await handle.signal(clockSignal, '2026-02-10T00:00:00.000Z');
  await until('its soft close', async () => (await closes())?.action === 'close');
  await handle.signal(clockSignal, '2026-02-16T00:00:00.000Z');
  await until('its close', async () => (await closes())?.period === '2026-02');
  await handle.terminate();
}

/** Time that is approved after the last run opens its line again; finance has it run once more. */
async function ranOnceMore(): Promise<void> {
  const term = { startDate: '2026-02-01', endDate: '2026-02-28' };
  const parties = { sellingEntityId: 'LE-US', billToId: 'BA-US', currency: 'USD' } as const;
  const deal = await startDeal(engine, testDeal({ lines: [milestones(term), timeAndMaterialsLine({ ...term, ...parties })] }));
  await bringToDelivery(engine, deal);
  await playTo(engine, deal, '2026-04-07T00:00:00.000Z');
  deal.now = '2026-04-08T12:00:00.000Z';
  await reportTime(engine, deal, 'D', [{ entryId: 'A', workDate: '2026-02-03', hours: '8', approvedAt: deal.now }]);
  await waitFor(deal, 'unbilled-decision');
  const request = { requestId: uuidv7(), by: 'U-FC-US', at: deal.now };
  await (await handleOf(engine, deal, 'D')).executeUpdate(planRunUpdate, { args: [request] });
  const runs = await engine.db
    .selectFrom('billing_plan_item as item')
    .innerJoin('contract_line as line', 'line.id', 'item.contract_line_id')
    .select(['item.item_key', 'item.state'])
    .where('line.deal_id', '=', deal.dealId)
    .where('item.kind', '=', 'period-run')
    .orderBy('item.item_key')
    .execute();
  expect(runs.map(({ item_key: key, state }) => `${key} ${state}`)).toEqual([
    'run/2026-02 nothing-to-bill',
    'run/2026-03 nothing-to-bill',
    'run/2026-04 planned',
  ]);
}

/** A deal through everything that may befall it on the way to its close. */
async function played(): Promise<void> {
  const lines = [milestones(), service({ endDate: '2026-02-28' })];
  const deal = await startDeal(engine, testDeal({ lines }));
  await stuckForMasterData(deal);
  await refuse(engine, deal, 'kickoff', 'U-PMO');
  await waitFor(deal, 'mobilisation');
  await deal.handle.signal(dealReportedSignal, { eventId: 'put right', at: deal.now });
  await approve(engine, deal, 'kickoff');
  await reach(engine, deal, 'delivering');

  await waitFor(deal, 'billing-date');
  await playTo(engine, deal, '2026-02-01T00:00:00.000Z');
  await refuse(engine, deal, 'invoice', 'U-FC-DE');
  await waitFor(deal, 'held-item');
  const support = await handleOf(engine, deal, 'B');
  const by = 'U-FC-DE';
  await support.executeUpdate(releaseItemUpdate, { args: [{ releaseId: randomUUID(), itemKey: 'fee/2026-02', by, at: deal.now }] });
  const fee = await issue(engine, deal, '2026-02-02');
  const invoice = engine.client.workflow.getHandle(invoiceWorkflowId(fee.id));
  const holdId = uuidv7();
  const hold = {
    holdId,
    kind: 'dunning-hold',
    amountMinor: null,
    reasonId: await reasonOf(engine.db, 'wrong month'),
    from: deal.now,
    until: null,
    by,
    at: deal.now,
  } as const;
  await invoice.executeUpdate(holdUpdate, { args: [hold] });
  await invoice.executeUpdate(liftHoldUpdate, { args: [{ holdId, by, at: deal.now }] });
  const disputeId = await dispute(engine, fee, deal.now);
  await uphold(engine, fee, disputeId, deal.now);
  await tellCorrection(engine, fee, requestCorrectionUpdate, correctionInput(REBILL, deal.now, { disputeId }));
  await approve(engine, deal, 'correction');
  await waitFor(deal, 'issue-date');
  await playTo(engine, deal, '2026-02-03T12:00:00.000Z');
  await pay(engine, await rebillOf(engine, fee.id), '2026-02-20', 300);

  const usage = { eventId: uuidv7(), servicePeriod: '2026-02', tickets: 90, p1Tickets: 0, p1WithinTarget: 0, supersedes: null };
  deal.now = '2026-03-02T15:00:00.000Z';
  await support.executeUpdate(reportUsageUpdate, { args: [{ ...usage, reportedAt: deal.now, by: 'U-PM-EU', at: deal.now }] });
  const delivery = { deliveryId: uuidv7(), milestoneId: 'M1', deliveredAt: deal.now, by: 'U-PM-US', at: deal.now };
  await (await handleOf(engine, deal, 'A')).executeUpdate(deliverMilestoneUpdate, { args: [delivery] });
  await playTo(engine, deal, '2026-03-17T12:00:00.000Z');
  await pay(engine, await issue(engine, deal, '2026-03-18'), '2026-03-20');
  await accept(engine, deal, 'M2', '2026-06-10');
  await pay(engine, await issue(engine, deal, '2026-06-11'), '2026-06-20');

  const project = await signOff(engine, deal, '2026-06-25');
  await refuse(engine, deal, 'project-close', 'U-PMO');
  await waitFor(deal, 'close-refused');
  await project.signal(recheckProjectSignal, { at: deal.now });
  await approve(engine, deal, 'project-close');
  expect((await deal.handle.result()).outcome).toBe('closed');
  expect(await whatIsOpen(engine, deal.dealId)).toEqual({});
}

/** The customer's tax registration vanishes before the baseline: the deal is stuck, an operator puts it right and says so. */
async function stuckForMasterData(deal: TestDeal): Promise<void> {
  await reach(engine, deal, 'terms');
  await proposeTerms(deal);
  await approve(engine, deal, 'sow');
  await pendingApproval(engine, deal, 'deal');
  const putBack = await loseTaxRegistrations(engine, 'BA-DE');
  await approve(engine, deal, 'deal');
  const report = () =>
    engine.db.selectFrom('process_exception').selectAll().where('workflow_id', '=', dealWorkflowId(deal.dealId)).executeTakeFirst();
  expect(await until('the run to be stuck', report)).toMatchObject({
    kind: 'stuck/createBaseline',
    owner_role: 'operator',
    closed_at: null,
  });
  await putBack();
  const { id: exceptionId } = (await report()) ?? { id: '' };
  await operatorSaysFixed(exceptionId, deal.now);
  await pendingApproval(engine, deal, 'kickoff');
  expect(await report()).toMatchObject({ stage: 'settled', settled_as: 'fix' });
}

async function operatorSaysFixed(exceptionId: string, at: string): Promise<void> {
  const { client, db, taskQueue } = engine;
  await db.insertInto('role_assignment').values({ user_id: 'U-AP', role: 'operator', scope_kind: 'group', scope_id: '*' }).execute();
  await db.updateTable('master_revision').set((eb) => ({ revision: eb('revision', '+', 1) })).execute(); // prettier-ignore
  await startException(client, taskQueue, await openedException(db, exceptionId), at, { simulated: true, moment: at });
  const row = () => db.selectFrom('process_exception').select('stage').where('id', '=', exceptionId).executeTakeFirstOrThrow();
  await until('the operator to be asked', async () => (await row()).stage === 'assigned');
  const reasonId = await reasonOf(db, 'the registration is back', 'U-AP');
  const choice = { choiceId: uuidv7(), option: 'fix', evidence: 'MD-1', target: null, reasonId, by: 'U-AP', at } as const;
  await client.workflow.getHandle(exceptionWorkflowId(exceptionId)).executeUpdate(chooseOutcomeUpdate, { args: [choice] });
}

describe('invoice numbers', () => {
  test('have no gap when twenty documents are issued at once and one of them fails, and never go back in time', async () => {
    const activities = createActivities({ db: engine.db });
    const term = { startDate: '2028-01-01', endDate: '2029-09-30' };
    const terms = testDeal({ ...term, lines: [service(term)] });
    const row = dealRow(terms, { state: 'approval', seller_id: 'U-SELLER' });
    await engine.db.insertInto('deal').values(row).execute();
    const at = '2028-01-01T00:00:00.000Z';
    const baseline = { dealId: row.id, approvalId: await approvedDeal(engine.db, row.id, terms), at };
    const { lines } = await inRun('deal', () => activities.createBaseline(baseline));
    const contractLineId = lines[0]?.contractLineId ?? '';
    const items = await engine.db
      .selectFrom('billing_plan_item')
      .select('id')
      .where('contract_line_id', '=', contractLineId)
      .where('item_key', 'like', 'fee/%')
      .execute();
    const drafts: string[] = [];
    for (const { id } of items) {
      const { invoiceId } = await inRun('line', () => activities.billItem({ contractLineId, itemId: id, turn: drafts.length, at }));
      drafts.push(invoiceId ?? '');
    }
    expect(drafts).toHaveLength(21);
    const approvals = new Map<string, string>();
    for (const invoiceId of drafts) {
      const approvalId = await approvedInvoice(engine.db, invoiceId);
      approvals.set(invoiceId, approvalId);
      await inRun(invoiceId, () => activities.approveInvoice({ invoiceId, approvalId, at }));
    }
    const [unlucky] = drafts;
    await sql`create function fail_issue() returns trigger language plpgsql as 'begin raise exception ''planted''; end'`.execute(engine.db);
    await sql
      .raw(
        `create trigger planted before update on invoice for each row when (new.number is not null and new.id = '${unlucky}') execute function fail_issue()`,
      )
      .execute(engine.db);

    const issued = await Promise.allSettled(
      drafts.map((invoiceId) =>
        inRun(invoiceId, () => activities.issueInvoice({ invoiceId, approvalId: approvals.get(invoiceId) ?? '', at })),
      ),
    );
    expect(issued.filter(({ status }) => status === 'rejected')).toHaveLength(1);
    const series = await engine.db
      .selectFrom('invoice')
      .select(['number', 'issue_date'])
      .where('contract_line_id', '=', contractLineId)
      .where('number', 'is not', null)
      .orderBy('number')
      .execute();
    const numbers = series.map(({ number }) => Number(number?.split('-').at(-1)));
    expect(numbers).toEqual(numbers.map((_, index) => (numbers[0] ?? 0) + index));
    expect(numbers).toHaveLength(20);
    expect(series.map((each) => each.issue_date)).toEqual(series.map((each) => each.issue_date).sort());
  });
});
