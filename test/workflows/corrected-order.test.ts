import { uuidv7 } from 'uuidv7';
import { applyMasterData } from '../../activities/intake/master-data';
import { orRejected } from '../../activities/intake/rejection';
import { Refusal } from '../../activities/refusal';
import { replaceEvent } from '../../db/corrected-events';
import { appliedPlan } from '../../db/delivery-plan';
import { inboxEvent, type InboxRow, putInboxEvent } from '../../db/inbox';
import { inRun } from '../support/activity-run';
import { insertFacts } from '../support/api-facts';
import { dealRow } from '../support/builders';
import { type Exception, exceptionStage, type ExceptionStage } from '../support/exceptions';
import { testDeal, until } from '../support/lifecycles';

const [FAILED, NEXT, LATER] = ['2026-03-20T09:00:00.000Z', '2026-03-20T12:00:00.000Z', '2026-03-21T09:00:00.000Z'];

let stage: ExceptionStage;
beforeAll(async () => {
  stage = await exceptionStage(NEXT);
});
afterAll(() => stage.stop());

type Sent = Pick<InboxRow, 'type' | 'subject' | 'payload'>;
const sent = async ({ type, subject, payload }: Sent, sourceOrder: string, state: 'received' | 'invalid' = 'received') => {
  const event = { source: 'api', eventId: uuidv7(), type, subject, sourceOrder, occurredAt: FAILED, businessReceivedAt: FAILED };
  return (await putInboxEvent(stage.engine.db, { ...event, payload, state })).row;
};
const state = async (id: string) => (await inboxEvent(stage.engine.db, id))?.state;

/** The first of its stream, which failed and is somebody's task. */
async function failed(event: Sent): Promise<{ row: InboxRow; exception: Exception }> {
  const row = await sent(event, '1', 'invalid');
  const task = { id: uuidv7(), workflow_id: `inbox/${row.id}`, kind: 'intake-rejected', detail: 'planted', owner_role: 'operator' };
  await stage.engine.db
    .insertInto('process_exception')
    .values({ ...task, opened_at: FAILED })
    .execute();
  return { row, exception: await stage.at(`inbox/${row.id}`, 'assigned') };
}

const task = (taskId: string) => ({
  ...{ taskId, lineId: 'A', phase: 'P', workPackageId: 'WP', workPackageName: 'Package', serviceLine: 'advisory', roleCode: 'R' },
  ...{ estimateHours: '10', plannedStart: '2026-02-01', plannedEnd: '2026-02-28', closedOn: null },
  ...{ validFrom: '2026-01-23', billable: true },
});

describe('an estimate that is corrected after a later one was taken', () => {
  test('counts from when the wrong one failed: the later one counts still', async () => {
    const { db } = stage.engine;
    const { dealId, contractLineId } = await insertFacts(db, 'LE-US', 'BA-US');
    const line = db.selectFrom('contract_line').select('line_id').where('id', '=', contractLineId);
    const { line_id: lineId } = await line.executeTakeFirstOrThrow();
    const of = (estimateToComplete: string) => ({
      forecasts: [{ lineId, asOf: '2026-02-28', measure: 'hours', estimateToComplete, currency: null }],
    });
    const event = (hours: string) => ({
      type: 'cost-forecasts',
      subject: `line/${lineId}`,
      payload: { dealId, by: 'U-PM-US', ...of(hours) },
    });
    const { exception } = await failed(event('1'));
    await sent(event('20'), '2');
    const stated = () =>
      db
        .selectFrom('cost_forecast')
        .select(['estimate_to_complete', 'stated_at'])
        .where('contract_line_id', '=', contractLineId)
        .orderBy('stated_at')
        .execute();
    await until('the later estimate', async () => (await stated()).length === 1);
    stage.now = LATER;
    await stage.choose(exception.id, 'U-OPS', { option: 'fix', correction: of('10') });
    await stage.approveChoice(exception.id, 'U-FC-US');
    await until('the corrected estimate', async () => (await stated()).length === 2);
    expect(await stated()).toMatchObject([{ estimate_to_complete: '10', stated_at: FAILED }, { estimate_to_complete: '20' }]);
  }, 60_000);
});

describe('a delivery plan that is corrected after a later one was applied', () => {
  let dealId: string;
  const plan = (...tasks: string[]) => ({ type: 'delivery-plan', subject: `deal/${dealId}`, payload: { dealId, basedOn: null, by: 'U-PM-US', tasks: tasks.map(task) } }); // prettier-ignore
  const correction = (...tasks: string[]) => ({ option: 'fix', correction: { tasks: tasks.map(task) } });
  const tasksNow = async () => (await appliedPlan(stage.engine.db, dealId)).tasks.map(({ taskId }) => taskId);
  beforeEach(async () => {
    const deal = dealRow(testDeal());
    await stage.engine.db.insertInto('deal').values(deal).execute();
    dealId = deal.id;
  });
  const laterPlan = async () => {
    await sent(plan('T-NEW'), '2');
    await until('the later plan', async () => (await tasksNow()).length > 0);
  };

  test('does not replace it: refused when it is chosen, and void where the later one came while it was approved', async () => {
    const { exception, row } = await failed(plan());
    await stage.choose(exception.id, 'U-OPS', correction('T-OLD'));
    await laterPlan();
    await stage.approveChoice(exception.id, 'U-FC-US');
    const { choices } = await stage.at(`inbox/${row.id}`, 'assigned');
    expect(choices).toMatchObject([{ state: 'void' }]);
    expect(await stage.refusal(exception.id, 'U-OPS', correction('T-OLD'))).toBe('CorrectionOvertaken');
    expect([await tasksNow(), await state(row.id)]).toEqual([['T-NEW'], 'invalid']);
  }, 60_000);

  test('is a task again where the later one came between its approval and its turn', async () => {
    const { row } = await failed(plan());
    await laterPlan();
    const came = { payload: plan('T-OLD').payload, choiceId: uuidv7(), failedAt: FAILED, at: LATER };
    const fresh = await stage.engine.db.transaction().execute((trx) => replaceEvent(trx, row, came));
    await stage.at(`inbox/${fresh.id}`, 'assigned');
    expect(await inboxEvent(stage.engine.db, fresh.id)).toMatchObject({
      state: 'failed',
      counts_at: FAILED,
      errors: [{ violation: 'CorrectionOvertaken' }],
    });
    expect(await tasksNow()).toEqual(['T-NEW']);
    const read = (await inboxEvent(stage.engine.db, fresh.id))!;
    const again = { ...came, choiceId: uuidv7(), failedAt: LATER };
    const next = await stage.engine.db.transaction().execute((trx) => replaceEvent(trx, read, again));
    expect(next).toMatchObject({ corrects: fresh.id, source_order: '1', counts_at: FAILED });
  }, 60_000);

  test('is not taken where more changes than somebody is shown, nor a second time', async () => {
    const { exception, row } = await failed(plan());
    const many = Array.from({ length: 60 }, (_each, index) => `T-${index}`);
    expect(await stage.refusal(exception.id, 'U-OPS', correction(...many))).toBe('CorrectionTooLarge');
    const asked = await stage.choose(exception.id, 'U-OPS', correction('T-1'));
    const { changes } = await stage.correctionFor(asked, 'U-FC-US');
    expect(changes).toContainEqual({ path: '/tasks/T-1/roleCode', after: 'R' });
    await stage.approveChoice(exception.id, 'U-FC-US');
    await until('the corrected plan', async () => (await tasksNow()).length === 1);
    await stage.engine.db.updateTable('inbox_event').set({ state: 'failed' }).where('id', '=', row.id).execute();
    const again = { id: uuidv7(), workflow_id: `inbox/${row.id}`, kind: 'inbox-event-failed', detail: 'planted', owner_role: 'operator' };
    await stage.engine.db
      .insertInto('process_exception')
      .values({ ...again, opened_at: LATER })
      .execute();
    const second = await stage.at(`inbox/${row.id}`, 'assigned', 'inbox-event-failed');
    expect(await stage.refusal(second.id, 'U-OPS', correction('T-2'))).toBe('InboxEventNotReplayable');
  }, 60_000);

  test('is void where the corrected facts were erased while they were approved: what was wrong is not tried again instead', async () => {
    const { exception, row } = await failed(plan('T-WRONG'));
    const asked = await stage.choose(exception.id, 'U-OPS', correction('T-RIGHT'));
    const { db } = stage.engine;
    await db.updateTable('exception_enclosure').set({ payload: null, salt: null }).where('exception_id', '=', exception.id).execute();
    const { changes } = await stage.correctionFor(asked, 'U-FC-US');
    expect(JSON.stringify(changes)).not.toContain('after');
    await stage.approveChoice(exception.id, 'U-FC-US');
    expect((await stage.at(`inbox/${row.id}`, 'assigned')).choices).toMatchObject([{ state: 'void' }]);
    expect([await tasksNow(), await state(row.id)]).toEqual([[], 'invalid']);
  }, 60_000);
});

describe('a step that read its event before that was corrected', () => {
  async function superseded(type: string) {
    const row = await sent({ type, subject: uuidv7(), payload: {} }, '1', 'invalid');
    await stage.engine.db.updateTable('inbox_event').set({ state: 'superseded' }).where('id', '=', row.id).execute();
    const read = { id: row.id, type, payload: {}, dealId: null, at: LATER, countsAt: LATER, isCorrection: false };
    return { row, read, nothing: { inboxEventId: row.id, invoices: [], lines: [], deals: [], projects: [] } };
  }

  test('loads no master data of it', async () => {
    const { read, nothing } = await superseded('master-data');
    expect(await applyMasterData(stage.engine.db, read, 'U-OPS')).toEqual(nothing);
  });

  test('loads no master data that were corrected after later ones were loaded', async () => {
    const { db } = stage.engine;
    const { row, read } = await superseded('master-data');
    const later = await sent(row, '2', 'invalid');
    await db.updateTable('inbox_event').set({ state: 'delivered' }).where('id', 'in', [row.id, later.id]).execute();
    const loaded = applyMasterData(db, { ...read, isCorrection: true }, 'U-OPS');
    await expect(loaded).rejects.toMatchObject({ violation: { violation: 'CorrectionOvertaken' } });
  });

  test('does not reject it, and is nobody’s task', async () => {
    const { db } = stage.engine;
    const { row, read, nothing } = await superseded('time-entries');
    const refused = () => Promise.reject(new Refusal({ violation: 'LineUnknown', detail: 'planted' }));
    expect(await inRun('intake/late', () => orRejected({ db }, read, 'U-OPS', refused))).toEqual(nothing);
    expect(await state(row.id)).toBe('superseded');
    expect(await db.selectFrom('process_exception').select('id').where('workflow_id', '=', `inbox/${row.id}`).execute()).toEqual([]);
  });
});
