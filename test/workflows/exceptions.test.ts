import { randomUUID } from 'node:crypto';
import { createActivities } from '../../activities/index';
import { putInboxEvent } from '../../db/inbox';
import { claimEvents, failEvent } from '../../db/inbox-delivery';
import { approvalWorkflowId, dealWorkflowId, exceptionWorkflowId, invoiceWorkflowId, lineWorkflowId } from '../../domain/ids';
import { clockSignal } from '../../workflows/clock';
import { inRun } from '../support/activity-run';
import { startApproval } from '../support/asked';
import { soldLines } from '../support/books';
import { dealRow } from '../support/builders';
import { type ExceptionStage, exceptionStage } from '../support/exceptions';
import {
  approve,
  bringToDelivery,
  decide,
  milestones,
  pendingApproval,
  playTo,
  bringToTerms,
  refusalOf,
  service,
  startDeal,
  testDeal,
  until,
  type TestDeal,
} from '../support/lifecycles';
import { bringTime, deliveredLine, expenseRow, insertTestRate, takeRun, type DeliveredLine } from '../support/time-and-materials';
import { uniqueName } from '../support/temporal';
import { loseTaxRegistrations } from '../support/master-data';
import { talkTo } from '../support/talk';

/** Friday at two in the afternoon in Germany. */
const NOW = '2026-02-20T13:00:00.000Z';
/** When approvals are asked for that nobody decides. */
const STARTED = '2026-01-26T15:00:00.000Z';

let stage: ExceptionStage;
let activities: ReturnType<typeof createActivities>;
beforeAll(async () => {
  stage = await exceptionStage(NOW);
  activities = createActivities({ db: stage.engine.db });
  await insertTestRate(stage.engine.db);
});
afterAll(() => stage.stop());
beforeEach(() => {
  stage.now = NOW;
});

const waitsOf = (id: string) =>
  stage.engine.db
    .selectFrom('open_wait')
    .select(['kind', 'role', 'asks'])
    .where('workflow_id', '=', exceptionWorkflowId(id))
    .where('closed_at', 'is', null)
    .orderBy('role')
    .execute();

/** What the exception stands at that holds a finding. */
async function nameOf(db: ExceptionStage['engine']['db'], findingId: string): Promise<string> {
  const item = db.selectFrom('exception_item').select('exception_id').where('finding_id', '=', findingId).where('settled_at', 'is', null);
  return `findings/${(await item.executeTakeFirstOrThrow()).exception_id}`;
}

describe('a run that is stuck', () => {
  /** The tax registration of the customer vanishes before the baseline. */
  async function stuckDeal(): Promise<{ deal: TestDeal; putBack: () => Promise<void> }> {
    const { engine } = stage;
    const deal = await startDeal(engine, testDeal({ lines: [service()] }));
    await bringToTerms(engine, deal);
    await approve(engine, deal, 'sow');
    await pendingApproval(engine, deal, 'deal');
    const putBack = await loseTaxRegistrations(engine, 'BA-DE');
    await approve(engine, deal, 'deal');
    return { deal, putBack };
  }

  test('is fixed and goes on: the owner says what was put right, and the exception ends with the step that succeeds', async () => {
    const { deal, putBack } = await stuckDeal();
    const opened = await stage.at(dealWorkflowId(deal.dealId), 'assigned');
    expect(opened).toMatchObject({
      kind: 'stuck/createBaseline',
      path: 'stuck-integration',
      ownerRole: 'operator',
      askedRoles: ['operator'],
    });
    expect(opened.offers.map(({ option }) => option)).toEqual(['retry', 'fix', 'cancel']);
    expect(await waitsOf(opened.id)).toMatchObject([{ kind: 'stuck-integration', role: 'operator' }]);

    expect(await stage.refusal(opened.id, 'U-PM-US', { option: 'retry' })).toBe('ExceptionOfOthers');
    expect(await stage.refusal(opened.id, 'U-OPS', { option: 'skip' })).toBe('OutcomeNotOffered');
    expect(await stage.refusal(opened.id, 'U-OPS', { option: 'fix' })).toBe('EvidenceMissing');

    // Tried again without a fix it is stuck again: that is another exception.
    await stage.choose(opened.id, 'U-OPS', { option: 'retry' });
    const again = await until('it to be stuck again', async () => {
      const found = await stage.at(dealWorkflowId(deal.dealId), 'assigned');
      return found.id !== opened.id && found;
    });
    expect(await stage.read(opened.id)).toMatchObject({ stage: 'settled', settledAs: 'retry' });
    expect(await stage.refusal(opened.id, 'U-OPS', { option: 'retry' })).toBe('ExceptionSettled');

    await putBack();
    const key = uniqueName('fix');
    const fixed = await stage.choose(again.id, 'U-OPS', { option: 'fix', evidence: 'MD-LOAD-7' }, key);
    expect(fixed.choices).toMatchObject([{ option: 'fix' }]);
    await pendingApproval(stage.engine, deal, 'kickoff');
    expect((await stage.choose(again.id, 'U-OPS', { option: 'fix', evidence: 'MD-LOAD-7' }, key)).choices).toHaveLength(1);
    await stage.ended(again.id);
    expect(await stage.read(again.id)).toMatchObject({
      stage: 'settled',
      settledAs: 'fix',
      choices: [{ state: 'carried-out', reason: 'because' }],
    });
    expect(await waitsOf(again.id)).toEqual([]);
    await deal.handle.terminate();
  }, 120_000);

  test('is cancelled with its deal: once that is approved, what was begun is undone', async () => {
    const { deal, putBack } = await stuckDeal();
    const { id } = await stage.at(dealWorkflowId(deal.dealId), 'assigned');
    await stage.choose(id, 'U-OPS', { option: 'cancel' });
    await until('the cancellation to be asked for', async () => (await pendingApproval(stage.engine, deal, 'cancellation')) !== null);
    deal.now = NOW;
    await approve(stage.engine, deal, 'cancellation');
    expect((await deal.handle.result()).outcome).toBe('cancelled');
    await stage.ended(id);
    expect(await stage.read(id)).toMatchObject({ stage: 'settled', settledAs: 'cancel' });
    await putBack();
  }, 120_000);

  test('leaves its step out with a second person: the draft is void, its item is held for finance, and the run ends', async () => {
    const { engine } = stage;
    const deal = await startDeal(engine, testDeal({ lines: [milestones(), service()] }));
    await bringToDelivery(engine, deal);
    await playTo(engine, deal, '2026-02-20T12:00:00.000Z');
    const asked = await pendingApproval(engine, deal, 'invoice');
    const invoiceId = asked.subject_id;
    // What was approved is not what would be issued: no rule lets that pass, and nobody can put it right.
    await engine.db.updateTable('invoice_line').set({ description: 'something else' }).where('invoice_id', '=', invoiceId).execute();
    await approve(engine, deal, 'invoice');
    const issue = engine.db.selectFrom('open_wait').select('wakes_at').where('workflow_id', '=', invoiceWorkflowId(invoiceId)).where('kind', '=', 'issue-date'); // prettier-ignore
    const { wakes_at: issueAt } = await until('the draft to be approved', () => issue.executeTakeFirst());
    stage.now = issueAt ?? '';
    await engine.client.workflow.getHandle(invoiceWorkflowId(invoiceId)).signal(clockSignal, stage.now);

    const opened = await stage.at(invoiceWorkflowId(invoiceId), 'assigned');
    expect(opened).toMatchObject({ kind: 'stuck/issueInvoice', facts: { invoiceId } });
    expect(opened.offers).toContainEqual({ option: 'skip', needsApproval: true, needs: null });
    await stage.choose(opened.id, 'U-OPS', { option: 'skip' });
    expect(await stage.refusal(opened.id, 'U-OPS', { option: 'retry' })).toBe('ExceptionDecided');
    await stage.approveChoice(opened.id, 'U-FC-DE', 'refuse');
    const back = await stage.at(invoiceWorkflowId(invoiceId), 'assigned');
    expect(back).toMatchObject({ id: opened.id, choices: [{ option: 'skip', state: 'refused' }] });

    await stage.choose(opened.id, 'U-OPS', { option: 'skip' });
    await stage.approveChoice(opened.id, 'U-FC-DE');
    await stage.ended(opened.id);
    expect(await stage.read(opened.id)).toMatchObject({ settledAs: 'skip' });
    expect(await invoiceState(invoiceId)).toBe('void');
    const item = engine.db.selectFrom('billing_plan_item').innerJoin('invoice', 'invoice.billing_plan_item_id', 'billing_plan_item.id');
    expect(await item.select(['billing_plan_item.state', 'held_reason']).where('invoice.id', '=', invoiceId).execute()).toEqual([{ state: 'planned', held_reason: 'skipped' }]); // prettier-ignore
    await engine.client.workflow.getHandle(invoiceWorkflowId(invoiceId)).result();
    await deal.handle.terminate();
  }, 180_000);

  const invoiceState = async (id: string) =>
    (await stage.engine.db.selectFrom('invoice').select('state').where('id', '=', id).executeTakeFirstOrThrow()).state;
});

describe('an event of the inbox that was given up', () => {
  async function failedEvent(): Promise<string> {
    const { db } = stage.engine;
    const at = stage.now;
    const { row } = await putInboxEvent(db, {
      source: 'cloudevents/nobody',
      eventId: uniqueName('event'),
      type: 'unknown',
      subject: uniqueName('subject'),
      sourceOrder: '1',
      occurredAt: at,
      businessReceivedAt: at,
      payload: {},
      state: 'invalid',
    });
    await db.updateTable('inbox_event').set({ state: 'received', lease_owner: 'test', lease_until: '2100-01-01', attempts: 10 }).where('id', '=', row.id).execute(); // prettier-ignore
    expect(await failEvent(db, row.id, 'test', { error: 'planted', at })).toBe('failed');
    return row.id;
  }
  const stateOf = async (id: string) =>
    (await stage.engine.db.selectFrom('inbox_event').select('state').where('id', '=', id).executeTakeFirstOrThrow()).state;

  test('is handed on again, or left out for good when a second person agrees', async () => {
    const first = await failedEvent();
    const retried = await stage.at(`inbox/${first}`, 'assigned');
    await stage.choose(retried.id, 'U-OPS', { option: 'retry' });
    await stage.ended(retried.id);
    expect(await stage.read(retried.id)).toMatchObject({ settledAs: 'retry' });
    expect(await stateOf(first)).not.toBe('failed');

    const second = await failedEvent();
    const skipped = await stage.at(`inbox/${second}`, 'assigned');
    await stage.choose(skipped.id, 'U-OPS', { option: 'skip' });
    await stage.approveChoice(skipped.id, 'U-FC-US');
    await stage.ended(skipped.id);
    expect(await stateOf(second)).toBe('ignored');
    expect(await claimEvents(stage.engine.db, 'nobody', 100, 1)).toEqual([]);
  }, 60_000);

  test('settles its exception when it is replayed by its own address', async () => {
    const eventId = await failedEvent();
    const { id } = await stage.at(`inbox/${eventId}`, 'assigned');
    expect((await (await stage.api.as('U-OPS'))('POST', `/v1/inbox-events/${eventId}/replay`)).status).toBe(202);
    await stage.ended(id);
    expect(await stage.read(id)).toMatchObject({ stage: 'settled', settledAs: 'retry', choices: [] });
  }, 60_000);
});

describe('a breach of policy', () => {
  /** Approved work on a Sunday that nobody allowed. */
  async function sundayWork(): Promise<{ line: DeliveredLine; name: string; finding: string }> {
    const { db } = stage.engine;
    const line = await deliveredLine(db, activities, { expensesBillable: true });
    await bringTime(db, activities, line, [{ entryId: 'SUNDAY', workDate: '2026-02-08', hours: '4' }], stage.now);
    return { line, name: await nameOf(db, await findingOf(line, 'SUNDAY')), finding: await findingOf(line, 'SUNDAY') };
  }
  const findingOf = async (line: DeliveredLine, reference: string) => {
    const { id } = await stage.engine.db
      .selectFrom('policy_finding')
      .select('id')
      .where('reference', '=', `${line.lineId}/${reference}`)
      .executeTakeFirstOrThrow();
    return id;
  };
  const exceptionsOf = (line: DeliveredLine) =>
    stage.engine.db.selectFrom('process_exception').select(['kind', 'stage', 'settled_as']).where('deal_id', '=', line.dealId).execute();
  const netOf = async (invoiceId: string | null) =>
    invoiceId === null
      ? null
      : (await stage.engine.db.selectFrom('invoice').select('net_minor').where('id', '=', invoiceId).executeTakeFirstOrThrow()).net_minor;

  test('is exempted by two people, neither of whom worked or approved it, and is billed with the next run', async () => {
    const { db } = stage.engine;
    const { line, name, finding: findingId } = await sundayWork();
    await bringTime(db, activities, line, [{ entryId: 'MONDAY', workDate: '2026-02-09', hours: '1' }], stage.now);
    const opened = await stage.at(name, 'assigned');
    expect(opened).toMatchObject({ path: 'policy-breach', ownerRole: 'project-manager', facts: { code: 'REST_DAY_UNAPPROVED' } });
    expect(await exceptionsOf(line)).toHaveLength(1);
    await stage.choose(opened.id, 'U-PM-EU', { option: 'exempt', evidence: 'MAIL-2026-02-07' });
    await stage.approveChoice(opened.id, 'U-FC-DE');
    await stage.ended(opened.id);
    const finding = db.selectFrom('policy_finding').select(['blocking', 'exempted_by']).where('id', '=', findingId);
    expect(await finding.executeTakeFirstOrThrow()).toEqual({ blocking: false, exempted_by: opened.id });
    const { invoiceId } = await takeRun(db, activities, line, '2026-02', '2026-03-05T23:00:00.000Z');
    expect(await netOf(invoiceId)).toBe(50_000);
    expect(await exceptionsOf(line)).toEqual([{ kind: 'policy-breach', stage: 'settled', settled_as: 'exempt' }]);
  }, 60_000);

  test('is upheld once a second person gives it up too: it stays unbilled, and nobody waits for it', async () => {
    const { db } = stage.engine;
    const { line, name, finding } = await sundayWork();
    const { id } = await stage.at(name, 'assigned');
    const withheld = async () =>
      (await db.selectFrom('policy_finding').select('upheld_by').where('id', '=', finding).executeTakeFirstOrThrow()).upheld_by;
    const chosen = await stage.choose(id, 'U-PM-EU', { option: 'uphold' });
    const shown = db.selectFrom('approval').select(['shown', 'amount_minor']).where('id', '=', chosen.choices[0]?.approvalId ?? ''); // prettier-ignore
    expect((await shown.executeTakeFirstOrThrow()).shown).toMatchObject({ option: 'uphold', items: { count: 1, amount: '400.00', currency: 'EUR' } }); // prettier-ignore
    expect(await withheld()).toBeNull();
    await stage.approveChoice(id, 'U-FC-DE');
    await stage.ended(id);
    expect(await withheld()).toBe(id);
    const { invoiceId } = await takeRun(db, activities, line, '2026-02', '2026-03-05T23:00:00.000Z');
    expect(invoiceId).toBeNull();
    expect(await exceptionsOf(line)).toHaveLength(1);
  }, 60_000);

  test('is corrected: the record is taken back, comes once more as it should have been, and is billed', async () => {
    const { db } = stage.engine;
    const { line, name } = await sundayWork();
    const { id } = await stage.at(name, 'assigned');
    await stage.choose(id, 'U-PM-EU', { option: 'correct' });
    await stage.ended(id);
    const entry = db.selectFrom('time_entry').select('status').where('entry_id', '=', `${line.lineId}/SUNDAY`);
    expect((await entry.executeTakeFirstOrThrow()).status).toBe('rejected');
    expect(await exceptionsOf(line)).toMatchObject([{ stage: 'settled' }]);
    const allowed = {
      entryId: 'SUNDAY',
      workDate: '2026-02-08',
      hours: '4',
      restDayApproval: 'RDA-1',
      submittedAt: '2026-02-19T17:00:00.000Z',
    };
    await bringTime(db, activities, line, [{ ...allowed, approvedAt: '2026-02-20T12:00:00.000Z' }], stage.now);
    const { invoiceId } = await takeRun(db, activities, line, '2026-02', '2026-03-05T23:00:00.000Z');
    expect(await netOf(invoiceId)).toBe(40_000);
  }, 60_000);

  test('ends by itself when its cause is gone, also while its exemption is being approved', async () => {
    const { db } = stage.engine;
    const line = await deliveredLine(db, activities, { expensesBillable: true });
    const expense = expenseRow(line, 'E1', { receipt: false, amount_gross_minor: 90_000, category: 'airfare' });
    await db.insertInto('expense').values(expense).execute();
    await db.insertInto('policy_review').values({ deal_id: line.dealId, kind: 'expense', person_id: expense.person_id }).execute();
    await takeRun(db, activities, line, '2026-02', '2026-03-05T23:00:00.000Z');
    const name = await nameOf(db, await findingOf(line, 'E1'));
    const { id } = await stage.at(name, 'assigned', 'policy-breach');
    await stage.choose(id, 'U-PM-EU', { option: 'exempt', evidence: 'CARD-STATEMENT' });
    await db.updateTable('expense_policy').set({ receipt_above_minor: 10_000_000 }).where('category', '=', 'airfare').execute();
    await takeRun(db, activities, line, '2026-03', '2026-04-05T23:00:00.000Z');
    await stage.ended(id);
    const settled = await stage.read(id);
    expect(settled).toMatchObject({ settledAs: 'cured', choices: [{ state: 'void' }] });
    const approval = db
      .selectFrom('approval')
      .select('state')
      .where('id', '=', settled.choices[0]?.approvalId ?? '');
    expect((await approval.executeTakeFirstOrThrow()).state).toBe('withdrawn');
  }, 60_000);

  test('is reminded of, recorded as late and asked of the next role in the working time of its owner', async () => {
    const { db } = stage.engine;
    const { name } = await sundayWork();
    const opened = await stage.at(name, 'assigned');
    // 40 hours of days from nine to half past five: three and a half on Friday, 34 until Thursday, two and a half on the next Friday.
    expect(opened.due).toBe('2026-02-27T10:30:00.000Z');
    for (const moment of ['2026-02-25T10:00:00.000Z', '2026-02-27T10:30:00.000Z']) {
      await stage.passTo(opened.id, moment);
      const wakes = db.selectFrom('open_wait').select('wakes_at').where('workflow_id', '=', exceptionWorkflowId(opened.id)).where('closed_at', 'is', null); // prettier-ignore
      await until(`it to have acted by ${moment}`, async () =>
        (await wakes.execute()).every(({ wakes_at }) => wakes_at === null || wakes_at > moment),
      );
    }
    const events = await db.selectFrom('sla_event').select(['kind', 'role', 'at']).where('workflow_id', '=', exceptionWorkflowId(opened.id)).orderBy('at').orderBy('kind').execute(); // prettier-ignore
    expect(events.map(({ kind }) => kind)).toEqual(['reminder', 'reminder', 'breach', 'escalation']);
    expect((await stage.read(opened.id)).askedRoles).toEqual(['project-manager', 'delivery-director']);
    expect((await waitsOf(opened.id)).map(({ role }) => role)).toEqual(['delivery-director', 'project-manager']);
    await stage.choose(opened.id, 'U-DELDIR', { option: 'correct' });
    await stage.ended(opened.id);
  }, 60_000);
});

describe('work outside what was contracted', () => {
  const exceptionOf = (line: DeliveredLine) =>
    stage.engine.db
      .selectFrom('process_exception')
      .selectAll()
      .where('deal_id', '=', line.dealId)
      .orderBy('opened_at')
      .orderBy('id')
      .execute();

  test('before its contract version is rejected, or absorbed when somebody approved it who did not approve the time', async () => {
    const { db } = stage.engine;
    const line = await deliveredLine(db, activities);
    const work = (entryId: string, hours: string) => ({ entryId, workDate: '2026-01-30', hours });
    await bringTime(db, activities, line, [{ ...work('REJECTED', '2') }, { ...work('ABSORBED', '3'), approvedBy: 'U-FC-DE' }], stage.now);
    const found = await exceptionOf(line);
    expect(found.map(({ path, facts }) => [path, (facts as { code: string }).code])).toEqual([['scope-change', 'BEFORE_CONTRACT_VERSION']]);
    const rejected = await stage.at(found[0]?.workflow_id ?? '', 'assigned');
    expect(rejected).toMatchObject({ items: { open: 2, total: 2, amount: '500.00', currency: 'EUR' } });
    const [first, second] = await stage.items(rejected.id);
    const itemOf = (entryId: string) => [first, second].find((item) => item?.reference.endsWith(entryId))?.id ?? '';
    expect(rejected.offers.map(({ option }) => option)).toEqual(['change-order', 'absorb', 'reject']);
    expect(await stage.refusal(rejected.id, 'U-PM-EU', { option: 'change-order', target: 'CO-NONE' })).toBe('ChangeOrderUnknown');
    const part = { option: 'change-order', target: 'CO-NONE', items: [randomUUID()] };
    expect(await stage.refusal(rejected.id, 'U-PM-EU', part)).toBe('OutcomeNotOffered');
    expect(await stage.refusal(rejected.id, 'U-PM-EU', { option: 'reject', items: [rejected.id] })).toBe('ItemNotOpen');
    // One of the two is rejected; the owner is asked on about the other.
    const key = uniqueName('reject');
    await stage.choose(rejected.id, 'U-PM-EU', { option: 'reject', items: [itemOf('REJECTED')] }, key);
    const absorbed = await until('the other to be asked about', async () => {
      const left = await stage.read(rejected.id);
      return left.stage === 'assigned' && left.items?.open === 1 && left;
    });
    expect(absorbed).toMatchObject({ due: rejected.due, items: { total: 2, amount: '300.00' }, choices: [{ state: 'carried-out' }] });
    await stage.choose(rejected.id, 'U-PM-EU', { option: 'reject', items: [itemOf('REJECTED')] }, key);
    expect(await stage.refusal(rejected.id, 'U-PM-EU', { option: 'reject', items: [itemOf('REJECTED')] })).toBe('ItemNotOpen');
    // What comes of the same cause now opens the next one.
    await bringTime(db, activities, line, [work('LATER', '1')], stage.now);
    expect((await exceptionOf(line)).map(({ stage: at }) => at)).toEqual(['assigned', expect.stringMatching(/open|assigned/)]);
    await stage.choose(absorbed.id, 'U-PM-EU', { option: 'absorb' });
    expect(await refusalOf(stage.approveChoice(absorbed.id, 'U-FC-DE'))).toBe('DutiesConflict');
    const finance = { user_id: 'U-FC-US', role: 'finance-controller', scope_kind: 'entity', scope_id: 'LE-DE' };
    await db.insertInto('role_assignment').values(finance).execute();
    await stage.engine.db
      .updateTable('master_revision')
      .set((eb) => ({ revision: eb('revision', '+', 1) }))
      .execute();
    await stage.approveChoice(absorbed.id, 'U-FC-US');
    await stage.ended(absorbed.id);
    const entries = await db.selectFrom('time_entry').select('status').where('contract_line_id', '=', line.contractLineId).orderBy('entry_id').execute(); // prettier-ignore
    expect(entries.map(({ status }) => status)).toEqual(['approved', 'approved', 'rejected']);
    expect((await exceptionOf(line)).map(({ settled_as }) => settled_as)).toEqual(['absorb', null]);
    expect((await stage.items(absorbed.id, 'open=false')).map(({ settledAs }) => settledAs).sort()).toEqual(['absorb', 'reject']);
  }, 60_000);

  test('beyond the limit of its line is one exception, and is given up at the amount that was approved', async () => {
    const { db } = stage.engine;
    const line = await deliveredLine(db, activities, { notToExceed: { minor: 100_000, currency: 'EUR' } });
    await bringTime(db, activities, line, [{ entryId: 'A', workDate: '2026-02-03', hours: '8' }, { entryId: 'B', workDate: '2026-02-04', hours: '8' }], stage.now); // prettier-ignore
    await takeRun(db, activities, line, '2026-02', '2026-03-05T23:00:00.000Z');
    const opened = await stage.at(lineWorkflowId(line.contractLineId), 'assigned');
    expect(opened).toMatchObject({ path: 'scope-change', stage: 'assigned' });
    expect(opened.offers.map(({ option }) => option)).toEqual(['change-order', 'absorb']);
    await stage.choose(opened.id, 'U-PM-EU', { option: 'absorb' });
    const { choices } = await stage.read(opened.id);
    const shown = db
      .selectFrom('approval')
      .select('shown')
      .where('id', '=', choices[0]?.approvalId ?? '');
    expect((await shown.executeTakeFirstOrThrow()).shown).toMatchObject({ parked: { amount: '600.00', currency: 'EUR' } });
    await stage.approveChoice(opened.id, 'U-FC-DE');
    await stage.ended(opened.id);
    expect(await stage.read(opened.id)).toMatchObject({ settledAs: 'absorb' });
    expect(await db.selectFrom('parked_entry').selectAll().where('contract_line_id', '=', line.contractLineId).execute()).toEqual([]);
    const waiver = db.selectFrom('billing_waiver').select(['kind', 'amount_minor']).where('contract_line_id', '=', line.contractLineId);
    expect(await waiver.execute()).toEqual([{ kind: 'parked-time', amount_minor: 60_000 }]);
  }, 60_000);
});

describe('a line that is going to earn less than it was sold for', () => {
  /** Sold at 100,000.00 USD with 100 hours of somebody who costs some 140 an hour. */
  async function soldLine(): Promise<string> {
    const { db } = stage.engine;
    const line = milestones({
      lineId: uniqueName('M'),
      revenueMethod: 'cost-to-cost',
      startDate: '2026-02-01',
      endDate: '2026-06-30',
    });
    const contractLineId = [...(await soldLines(db, [line], undefined, 1)).values()][0] ?? '';
    const of = db.selectFrom('contract_line').select('deal_id').where('id', '=', contractLineId);
    await db.updateTable('deal_estimate').set({ role_code: 'PRN' }).where('deal_id', '=', of).execute();
    return contractLineId;
  }
  /** Somebody states what it still costs. */
  async function estimate(contractLineId: string, toComplete: string, at: string): Promise<void> {
    // Its stream may apply it first, at the moment that it is: an estimate of the same moment is the same estimate.
    stage.now = at;
    const { db } = stage.engine;
    const { deal_id: dealId, line_id: lineId } = await db.selectFrom('contract_line').selectAll().where('id', '=', contractLineId).executeTakeFirstOrThrow(); // prettier-ignore
    const forecasts = [{ lineId, asOf: '2026-02-28', measure: 'cost', estimateToComplete: toComplete, currency: 'USD' }];
    const name = uniqueName('forecast');
    const event = { source: 'api', eventId: name, type: 'cost-forecasts', subject: name, sourceOrder: '1', occurredAt: at, businessReceivedAt: at }; // prettier-ignore
    const { row } = await putInboxEvent(db, { ...event, payload: { dealId, by: 'U-PM-US', forecasts } });
    await inRun(`intake/${name}`, () => activities.applyIntake({ inboxEventId: row.id, at }));
  }
  const readings = (contractLineId: string) =>
    stage.engine.db.selectFrom('margin_reading').selectAll().where('contract_line_id', '=', contractLineId).orderBy('taken_at').execute();

  test('is planned anew while its estimate is too high, and accepted by a second person; later ones are held against that', async () => {
    const contractLineId = await soldLine();
    await estimate(contractLineId, '12000', '2026-02-20T13:00:00.000Z');
    expect(await readings(contractLineId)).toMatchObject([{ at_completion_percent: '88' }]);
    await estimate(contractLineId, '40000', '2026-02-20T13:01:00.000Z');
    const name = lineWorkflowId(contractLineId);
    const opened = await stage.at(name, 'assigned', 'margin-erosion');
    expect(opened).toMatchObject({ ownerRole: 'delivery-director', margin: { atCompletionPercent: '60' } });
    expect(await stage.read(opened.id, 'U-OPS')).toMatchObject({ margin: null });
    const seen = stage.engine.db.selectFrom('field_access').select('field_classes').where('subject', '=', exceptionWorkflowId(opened.id));
    expect((await seen.execute())[0]?.field_classes).toEqual(['margin']);

    stage.now = '2026-02-20T13:02:00.000Z';
    await stage.choose(opened.id, 'U-DELDIR', { option: 'replan' });
    await until('the estimate to be asked for', async () => (await waitsOf(opened.id))[0]?.kind === 'estimate');
    expect(await waitsOf(opened.id)).toMatchObject([{ role: 'project-manager' }]);
    stage.now = '2026-02-21T13:00:00.000Z';
    await estimate(contractLineId, '35000', stage.now);
    const back = await stage.at(name, 'assigned', 'margin-erosion');
    expect(back).toMatchObject({ id: opened.id, choices: [{ option: 'replan', state: 'void' }] });

    stage.now = '2026-02-21T13:05:00.000Z';
    await stage.choose(opened.id, 'U-DELDIR', { option: 'accept' });
    await estimate(contractLineId, '36000', '2026-02-21T13:06:00.000Z');
    await stage.approveChoice(opened.id, 'U-CFO');
    // What was approved is not what is expected by now.
    const changed = await until('the outcome to be void', async () => {
      const found = await stage.read(opened.id);
      return found.choices.length === 2 && found.stage === 'assigned' && found;
    });
    expect(changed.choices[1]).toMatchObject({ option: 'accept', state: 'void' });
    await stage.choose(opened.id, 'U-DELDIR', { option: 'accept' });
    await stage.approveChoice(opened.id, 'U-CFO');
    await stage.ended(opened.id);
    expect(await stage.read(opened.id)).toMatchObject({ settledAs: 'accept' });

    await estimate(contractLineId, '37000', '2026-02-22T13:00:00.000Z');
    expect((await readings(contractLineId)).at(-1)).toMatchObject({ reference_percent: '64', at_completion_percent: '63' });
    const open = stage.engine.db
      .selectFrom('process_exception')
      .select('id')
      .where('workflow_id', '=', name)
      .where('closed_at', 'is', null);
    expect(await open.execute()).toEqual([]);
  }, 60_000);

  test('earns it again by a new estimate: the exception ends by that', async () => {
    const contractLineId = await soldLine();
    await estimate(contractLineId, '40000', '2026-02-20T13:00:00.000Z');
    const { id } = await stage.at(lineWorkflowId(contractLineId), 'assigned', 'margin-erosion');
    await stage.choose(id, 'U-DELDIR', { option: 'replan' });
    await estimate(contractLineId, '12000', '2026-02-20T14:00:00.000Z');
    await stage.ended(id);
    expect(await stage.read(id)).toMatchObject({ settledAs: 'replan' });
  }, 60_000);
});

describe('a decision that nobody takes', () => {
  /** An approval of a deal whose ladder is used up. */
  async function asked() {
    const { engine } = stage;
    const row = dealRow(testDeal({ lines: [milestones()] }), { state: 'approval' });
    await engine.db.insertInto('deal').values(row).execute();
    const { approvalId, shownHash } = await startApproval(engine, { subjectKind: 'deal', subjectId: row.id, dealId: row.id, at: STARTED });
    return { approvalId, shownHash, name: approvalWorkflowId(approvalId) };
  }
  async function delayed() {
    const approval = await asked();
    await pass(approval.name);
    return approval;
  }
  /** The first who may vote on what is open; nobody once every vote is given. */
  async function pending(approvalId: string): Promise<string | undefined> {
    const answer = await (await stage.api.as('U-PMO'))('GET', `/v1/approvals/${approvalId}`);
    const { steps } = answer.body as { steps: { candidates: { userId: string }[] }[] };
    return steps.flatMap(({ candidates }) => candidates.map(({ userId }) => userId))[0];
  }
  /** Plays an approval until it is an exception. */
  async function pass(name: string): Promise<void> {
    const { engine } = stage;
    const open = () => engine.db.selectFrom('process_exception').select('id').where('workflow_id', '=', name).where('closed_at', 'is', null).executeTakeFirst(); // prettier-ignore
    for (let seen = ''; (await open()) === undefined;) {
      const next = await until('the approval to wait', async () => {
        const wait = await engine.db.selectFrom('open_wait').select('wakes_at').where('workflow_id', '=', name).where('closed_at', 'is', null).executeTakeFirst(); // prettier-ignore
        return (await open()) !== undefined || (wait?.wakes_at && wait.wakes_at > seen ? wait.wakes_at : null);
      });
      if (next === true) break;
      seen = next;
      stage.now = next;
      await engine.client.workflow.getHandle(name).signal(clockSignal, next);
    }
  }
  const record = async (approvalId: string) =>
    stage.engine.db
      .selectFrom('approval')
      .select(['state', 'record', 'outcome_reason_id'])
      .where('id', '=', approvalId)
      .executeTakeFirstOrThrow();

  test('is given to somebody else whom policy allows, who decides; then nobody has to see to it any more', async () => {
    const { approvalId, shownHash, name } = await delayed();
    const opened = await stage.at(name, 'assigned');
    expect(opened).toMatchObject({ path: 'delayed-approval', ownerRole: 'pmo-lead', facts: { approvalId, role: 'delivery-director' } });
    expect(await stage.refusal(opened.id, 'U-PMO', { option: 'reassign' })).toBe('TargetMissing');
    expect(await stage.refusal(opened.id, 'U-PMO', { option: 'reassign', target: 'seller' })).toBe('ReassignmentNotAllowed');
    await stage.choose(opened.id, 'U-PMO', { option: 'reassign', target: 'cfo' });
    await stage.ended(opened.id);
    const { tiers } = (await record(approvalId)).record as { tiers: { steps: { escalatedTo: string[] }[] }[] };
    expect(tiers[0]?.steps[0]?.escalatedTo).toEqual(['role', 'entity-head', 'cfo']);
    await decide(stage.engine, { id: approvalId, shown_hash: shownHash }, { by: 'U-CFO', role: 'delivery-director', at: stage.now });
    expect((await record(approvalId)).state).not.toBe('refused');
  }, 90_000);

  test('is reminded of anew, and is an exception once more after the time of another deadline; then it is withdrawn on behalf', async () => {
    const { approvalId, name } = await delayed();
    const first = await stage.at(name, 'assigned');
    await stage.choose(first.id, 'U-PMO', { option: 'remind' });
    await stage.ended(first.id);
    const told = stage.engine.db.selectFrom('outbox').select('kind').where('kind', '=', 'approval.reminded').where('at', '=', stage.now);
    expect((await told.execute()).length).toBeGreaterThan(0);
    await pass(name);
    const second = await stage.at(name, 'assigned');
    expect(second.id).not.toBe(first.id);
    await stage.choose(second.id, 'U-PMO', { option: 'withdraw' });
    await stage.ended(second.id);
    const approval = await until('the approval to end', async () => {
      const found = await record(approvalId);
      return found.state !== 'pending' && found;
    });
    expect(approval.state).toBe('withdrawn');
    expect(approval.outcome_reason_id).not.toBeNull();
  }, 90_000);

  test('by a condition that nobody sees to: whoever is to is told once more, then it is given to somebody else who fulfils it', async () => {
    const { engine } = stage;
    const { approvalId, shownHash, name } = await asked();
    const talk = talkTo(engine, approvalId);
    const condition = await talk.condition('U-DELDIR', uniqueName('C'), 'account-executive');
    await decide(engine, { id: approvalId, shown_hash: shownHash }, { by: 'U-DELDIR', at: STARTED, conditions: [condition] });
    for (let last = await pending(approvalId); last !== undefined; last = await pending(approvalId))
      await decide(engine, { id: approvalId, shown_hash: shownHash }, { by: last, at: STARTED });
    await pass(name);
    const first = await stage.at(name, 'assigned');
    expect(first).toMatchObject({ path: 'delayed-approval', facts: { role: 'account-executive', conditionId: condition.conditionId } });
    await stage.choose(first.id, 'U-PMO', { option: 'remind' });
    await stage.ended(first.id);
    const told = engine.db
      .selectFrom('outbox')
      .select('data')
      .where('kind', '=', 'approval.condition-reminded')
      .where('at', '=', stage.now);
    expect((await told.execute()).map(({ data }) => data)).toMatchObject([{ approvalId, conditionId: condition.conditionId }]);
    await pass(name);
    const second = await stage.at(name, 'assigned');
    expect(second.id).not.toBe(first.id);
    await stage.choose(second.id, 'U-PMO', { option: 'reassign', target: 'cfo' });
    await stage.ended(second.id);
    expect(await refusalOf(talk.end('U-PMO', condition.conditionId, 'fulfilled', stage.now))).toBe('ConditionOwnerRequired');
    expect(await talk.end('U-CFO', condition.conditionId, 'fulfilled', stage.now)).toMatchObject({ state: 'approved' });
  }, 90_000);

  test('is decided late after all: its exception is settled by that', async () => {
    const { approvalId, shownHash, name } = await delayed();
    const { id } = await stage.at(name, 'assigned');
    await decide(stage.engine, { id: approvalId, shown_hash: shownHash }, { by: 'U-DELDIR', at: stage.now });
    await stage.ended(id);
    expect(await stage.read(id)).toMatchObject({ settledAs: 'cured', choices: [] });
  }, 90_000);
});
