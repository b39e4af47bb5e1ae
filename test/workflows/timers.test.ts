import { randomUUID } from 'node:crypto';
import { msToTs } from '@temporalio/common/lib/time';
import { calendarOf, entityOf } from '../../db/parties';
import { addDays } from '../../domain/calendar/dates';
import { nthWorkingDayAfter } from '../../domain/calendar/working-day';
import { addWorkingMinutes } from '../../domain/calendar/working-time';
import { localDateOf } from '../../domain/calendar/zone';
import { isViolation, type Violation } from '../../domain/violation';
import { invoiceWorkflowId, lineWorkflowId } from '../../domain/ids';
import { deliverMilestoneUpdate } from '../../workflows/contract-line/messages';
import { type contractLine } from '../../workflows/contract-line/workflow';
import { startApproval } from '../support/asked';
import { dealRow } from '../support/builders';
import { approve, bringToDelivery, linesOf, milestones, openWaits, startDeal, testDeal, until } from '../support/lifecycles';
import { startTestEngine, type TestEngine } from '../support/worker';

/*
 * Nothing here is told the time: these runs keep the real clock, and the server's own time skipping takes them to the moments at which
 * their timers fire. Only a run without open children or activities skips, so each is skipped by itself.
 */

let engine: TestEngine;
beforeAll(async () => {
  engine = await startTestEngine();
});
afterAll(() => engine.stop());

const SECOND = 1000;

/** Takes the own clock of a run forward, past every timer on its way. */
async function skipTo(workflowId: string, now: string, moment: string): Promise<void> {
  const id = randomUUID();
  const seconds = Math.ceil((Date.parse(moment) - Date.parse(now)) / SECOND) + 1;
  const run = { namespace: engine.namespace, workflowExecution: { workflowId } };
  await engine.connection.workflowService.updateWorkflowExecutionOptions({
    ...run,
    workflowExecutionOptions: {
      timeSkippingConfig: { enabled: true, disablePropagation: true, fastForwardConfig: { id, duration: msToTs(seconds * SECOND) } },
    },
    updateMask: { paths: ['time_skipping_config'] },
  });
  await engine.connection.workflowService.pollWorkflowExecutionTimeSkipping({ ...run, fastForwardId: id });
}

/** These calendars have working time. */
function text(date: string | Violation): string {
  if (isViolation(date)) throw new Error(date.detail);
  return date;
}

/** When an effect was recorded, by the clock of its run. */
async function recordedAt(action: string, subject: string): Promise<string[]> {
  const rows = await engine.db.selectFrom('audit_entry').select('content').orderBy('stream').orderBy('sequence').execute();
  const entries = rows.map((row) => JSON.parse(row.content) as { action: string; subject: string; at: string });
  return entries.filter((entry) => entry.action === action && entry.subject === subject).map((entry) => entry.at);
}

/** Each happened at its moment, or within some seconds after: the clock of a run goes on while it is skipped. */
function expectAt(happened: readonly string[], moments: readonly string[]): void {
  const late = happened.map((at, index) => Date.parse(at) - Date.parse(moments[index] ?? ''));
  expect({ happened, moments, inTime: late.map((ms) => ms >= 0 && ms < 20 * SECOND) }).toEqual({
    happened,
    moments,
    inTime: moments.map(() => true),
  });
}

test('an approval reminds twice, breaches, asks the whole role and then the head of the entity, each in working time', async () => {
  const row = dealRow(testDeal({ lines: [milestones()] }), { state: 'approval' });
  await engine.db.insertInto('deal').values(row).execute();
  const openedAt = new Date().toISOString();
  const ask = { subjectKind: 'deal', subjectId: row.id, dealId: row.id, at: openedAt } as const;
  const { approvalId, handle } = await startApproval(engine, ask, { simulated: false });
  const { workflowId } = handle;
  const calendar = await calendarOf(engine.db, 'CAL-DE-HE');
  const after = (minutes: number) => text(addWorkingMinutes(calendar, openedAt, minutes));
  const moments = [480, 864, 960, 1920].map(after);

  await skipTo(workflowId, openedAt, moments.at(-1) ?? '');
  const events = async () =>
    engine.db.selectFrom('sla_event').select(['kind', 'at']).where('workflow_id', '=', workflowId).orderBy('at').orderBy('kind').execute();
  await until('the last escalation', async () => (await events()).filter((event) => event.kind === 'escalation').length === 2);
  const [half, most, due, twice] = moments;
  expect(await events()).toEqual([
    { kind: 'reminder', at: half },
    { kind: 'reminder', at: most },
    { kind: 'breach', at: due },
    { kind: 'escalation', at: due },
    { kind: 'escalation', at: twice },
  ]);
  expectAt(await recordedAt('approval.reminded', approvalId), moments);
});

test('silence accepts a milestone, its invoice is issued on its date, and the dunning ladder is climbed', async () => {
  const now = new Date().toISOString();
  const today = now.slice(0, 10);
  const dates = { signedDate: addDays(today, -10), startDate: today, endDate: addDays(today, 180) };
  const line = milestones({ startDate: today, endDate: addDays(today, 180) });
  const deal = await startDeal(engine, testDeal({ ...dates, lines: [line] }), now, { simulated: false });
  await bringToDelivery(engine, deal);
  const [{ id: contractLineId } = { id: '' }] = await linesOf(engine, deal);
  const lineId = lineWorkflowId(contractLineId);

  const at = new Date().toISOString();
  await engine.client.workflow.getHandle<typeof contractLine>(lineId).executeUpdate(deliverMilestoneUpdate, {
    args: [{ deliveryId: randomUUID(), milestoneId: 'M1', deliveredAt: at, by: 'U-PM-US', at }],
  });
  const customer = await calendarOf(engine.db, 'CAL-US');
  const silence = text(nthWorkingDayAfter(customer, localDateOf(at, customer.timeZone), 10));
  const wait = (await openWaits(engine, deal.dealId)).find((each) => each.kind === 'acceptance');
  await skipTo(lineId, at, wait?.wakes_at ?? '');
  const milestone = await until('the milestone to be accepted', () =>
    engine.db
      .selectFrom('milestone')
      .select(['accepted_on', 'acceptance'])
      .where('contract_line_id', '=', contractLineId)
      .where('state', '=', 'accepted')
      .executeTakeFirst(),
  );
  expect(milestone).toEqual({ accepted_on: silence, acceptance: 'deemed' });
  expectAt(await recordedAt('milestone.deemed-accepted', 'M1'), [wait?.wakes_at ?? '']);

  const draft = await until('the draft', () =>
    engine.db.selectFrom('invoice').selectAll().where('deal_id', '=', deal.dealId).executeTakeFirst(),
  );
  const invoiceId = invoiceWorkflowId(draft.id);
  deal.now = draft.created_at;
  await approve(engine, deal, 'invoice');
  const issueOn = await until('the issue date', async () =>
    (await openWaits(engine, deal.dealId)).find((each) => each.kind === 'issue-date'),
  );
  const noChild = async () => ((await engine.client.workflow.getHandle(invoiceId).describe()).raw.pendingChildren ?? []).length === 0;
  await until('the approval to be told', noChild);
  const { calendar } = await entityOf(engine.db, 'LE-US');
  expect(draft.planned_issue_date).toBe(text(nthWorkingDayAfter(calendar, silence, 1)));
  const dueOn = addDays(draft.planned_issue_date, 30);
  const rungs = [-5, 5, 15, 30, 60].map((days) => addDays(dueOn, days));
  await skipTo(invoiceId, draft.created_at, `${addDays(rungs.at(-1) ?? '', 1)}T00:00:00.000Z`);
  const steps = await until('the last rung', async () => {
    const taken = await engine.db.selectFrom('dunning_step').selectAll().where('invoice_id', '=', draft.id).orderBy('level').execute();
    return taken.length === rungs.length && taken;
  });
  expect(steps.map((step) => [step.name, localDateOf(step.reached_at, calendar.timeZone)])).toEqual(
    ['due-soon', 'reminder', 'first-notice', 'second-notice', 'hand-over'].map((name, index) => [name, rungs[index]]),
  );
  expectAt(await recordedAt('invoice.issued', draft.id), [issueOn.wakes_at ?? '']);
  expectAt(
    await recordedAt('receivable.reviewed', draft.id),
    steps.map((step) => step.reached_at),
  );
  const issued = await engine.db.selectFrom('invoice').selectAll().where('id', '=', draft.id).executeTakeFirstOrThrow();
  expect([issued.state, issued.issue_date, issued.due_date]).toEqual(['issued', draft.planned_issue_date, dueOn]);
});
