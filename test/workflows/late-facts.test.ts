import { randomUUID } from 'node:crypto';
import { type WorkflowHandle } from '@temporalio/client';
import { putInboxEvent } from '../../db/inbox';
import { calendarOf } from '../../db/parties';
import { addWorkingMinutes } from '../../domain/calendar/working-time';
import { intakeWorkflowId } from '../../domain/ids';
import { historyOf } from '../../workers/run-history';
import { clockSignal } from '../../workflows/clock';
import {
  type ContractLineInput,
  deliverMilestoneUpdate,
  lineQuery,
  respondToMilestoneUpdate,
} from '../../workflows/contract-line/messages';
import { contractLine } from '../../workflows/contract-line/workflow';
import { enqueueSignal } from '../../workflows/intake/messages';
import { intake } from '../../workflows/intake/workflow';
import { startApproval } from '../support/asked';
import { dealRow } from '../support/builders';
import { fillHistory, handleOf } from '../support/delivery';
import {
  approve,
  bringToDelivery,
  linesOf,
  milestones,
  openWaits,
  pendingApproval,
  proposeTerms,
  reach,
  refusalOf,
  requestCancellation,
  service,
  startDeal,
  testDeal,
  until,
  type TestDeal,
} from '../support/lifecycles';
import { reasonOf } from '../support/texts';
import { uniqueName } from '../support/temporal';
import { startTestEngine, type TestEngine } from '../support/worker';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startTestEngine();
});
afterAll(() => engine.stop());

describe('a milestone', () => {
  async function delivering() {
    const deal = await startDeal(engine, testDeal());
    await bringToDelivery(engine, deal);
    const line = await handleOf(engine, deal, 'A');
    const by = 'U-PM-US';
    return {
      deal,
      deliver: (deliveredAt: string, at = deliveredAt) =>
        line.executeUpdate(deliverMilestoneUpdate, { args: [{ deliveryId: randomUUID(), milestoneId: 'M1', deliveredAt, by, at }] }),
      respond: async (response: 'accepted' | 'rejected', respondedAt: string, at = respondedAt) => {
        const reasonId = response === 'rejected' ? await reasonOf(engine.db, 'not what was agreed') : null;
        const answer = {
          responseId: randomUUID(),
          milestoneId: 'M1',
          attempt: 1,
          response,
          respondedAt,
          reasonId,
          documentReference: null,
        };
        return line.executeUpdate(respondToMilestoneUpdate, { args: [{ ...answer, by, at }] });
      },
    };
  }

  const milestoneOf = async (deal: TestDeal) => {
    const [line] = await linesOf(engine, deal);
    const rows = engine.db
      .selectFrom('milestone')
      .selectAll()
      .where('contract_line_id', '=', line?.id ?? '');
    return rows.where('milestone_id', '=', 'M1').executeTakeFirstOrThrow();
  };

  test('is not delivered before the answer to the delivery before, nor so long ago that silence would accept it at once', async () => {
    const { deal, deliver, respond } = await delivering();
    expect(await refusalOf(deliver('2026-02-02T15:00:00.000Z', '2026-04-01T15:00:00.000Z'))).toBe('DeliveryBackdated');
    await deliver('2026-04-02T15:00:00.000Z');
    await respond('rejected', '2026-04-08T15:00:00.000Z');
    expect(await refusalOf(deliver('2026-04-08T14:59:59.000Z', '2026-04-09T15:00:00.000Z'))).toBe('DeliveryBackdated');
    expect(await milestoneOf(deal)).toMatchObject({ state: 'rejected', attempt: 1 });
    await deliver('2026-04-08T15:00:00.000Z', '2026-04-09T15:00:00.000Z');
    expect(await milestoneOf(deal)).toMatchObject({ state: 'delivered', attempt: 2 });
  });

  test.each(['accepted', 'rejected'] as const)('that silence has accepted is not %s afterwards', async (response) => {
    const { deal, deliver, respond } = await delivering();
    await deliver('2026-04-02T15:00:00.000Z');
    const { deemed_at: deemedAt } = await milestoneOf(deal);
    expect(await refusalOf(respond(response, deemedAt ?? '', '2026-06-01T15:00:00.000Z'))).toBe('MilestoneAlreadyAccepted');
    const accepted = await until('silence to accept', async () => {
      const row = await milestoneOf(deal);
      return row.state === 'accepted' && row;
    });
    expect(accepted.acceptance).toBe('deemed');
  });
});

test('a delivery plan that comes while the deal is approved is kept, named and changes nothing', async () => {
  const deal = await startDeal(engine, testDeal());
  await reach(engine, deal, 'terms');
  const send = async (taskId: string) => {
    const { row } = await putInboxEvent(engine.db, {
      source: 'api',
      eventId: uniqueName('plan'),
      type: 'delivery-plan',
      subject: deal.dealId,
      sourceOrder: '1',
      occurredAt: deal.now,
      businessReceivedAt: deal.now,
      payload: { dealId: deal.dealId, tasks: [planned(taskId)] },
    });
    const handle = await engine.client.workflow.signalWithStart(intake, {
      workflowId: intakeWorkflowId(deal.dealId),
      taskQueue: engine.taskQueue,
      args: [{ stream: deal.dealId, clock: { simulated: true, moment: deal.now } }],
      signal: enqueueSignal,
      signalArgs: [{ inboxEventId: row.id, at: deal.now }],
    });
    await handle.result();
    return engine.db.selectFrom('inbox_event').select('errors').where('id', '=', row.id).executeTakeFirstOrThrow();
  };
  expect((await send('FIRST')).errors).toEqual([]);
  await proposeTerms(deal);
  await approve(engine, deal, 'sow');
  const asked = await pendingApproval(engine, deal, 'deal');
  expect((await send('SECOND')).errors).toMatchObject([{ violation: 'BaselineFrozen' }]);
  const plan = await engine.db.selectFrom('deal_estimate').select('task_id').where('deal_id', '=', deal.dealId).execute();
  expect(plan).toEqual([{ task_id: 'FIRST' }]);
  expect((await pendingApproval(engine, deal, 'deal')).shown_hash).toBe(asked.shown_hash);
  await deal.handle.terminate();
});

function planned(taskId: string) {
  const dates = { plannedStart: '2026-02-02', plannedEnd: '2026-02-27', closedOn: null, validFrom: '2026-02-02' };
  const place = { workPackageId: 'WP', lineId: 'A', phase: 'A', workPackageName: 'Work', serviceLine: 'advisory' };
  return { taskId, ...place, roleCode: 'PRN', estimateHours: '10', ...dates, billable: true };
}

test('an approval over whose two rungs of escalation the clock jumps at once takes both, each at its own moment', async () => {
  const row = dealRow(testDeal({ lines: [milestones()] }), { state: 'approval' });
  await engine.db.insertInto('deal').values(row).execute();
  const opened = '2026-03-02T10:00:00.000Z';
  const { handle: asked } = await startApproval(engine, { subjectKind: 'deal', subjectId: row.id, dealId: row.id, at: opened });
  const events = () => {
    const rows = engine.db.selectFrom('sla_event').select(['kind', 'at']).where('workflow_id', '=', asked.workflowId);
    return rows.orderBy('at').orderBy('kind').execute();
  };
  await asked.signal(clockSignal, '2026-05-04T10:00:00.000Z');
  const taken = await until('both rungs', async () => {
    const now = await events();
    return now.some((event) => event.kind === 'escalation') && now;
  });
  const calendar = await calendarOf(engine.db, 'CAL-DE-HE');
  const [half, most, due, twice] = [480, 864, 960, 1920].map((minutes) => addWorkingMinutes(calendar, opened, minutes));
  expect(taken).toEqual([
    { kind: 'reminder', at: half },
    { kind: 'reminder', at: most },
    { kind: 'breach', at: due },
    { kind: 'escalation', at: due },
    { kind: 'escalation', at: twice },
  ]);
  expect((await engine.db.selectFrom('open_wait').selectAll().where('workflow_id', '=', asked.workflowId).execute()).map((wait) => wait.wakes_at)).toEqual([null]); // prettier-ignore
  await asked.terminate();
});

describe('a stop of a line', () => {
  type Line = WorkflowHandle<typeof contractLine>;

  /** What a run was started with, or what it starts the next with. */
  async function inputOf(line: Line, runId: string, of: 'started' | 'next'): Promise<ContractLineInput> {
    const { events } = await historyOf(engine.client, line.workflowId, runId);
    const [first, last] = [
      events[0]?.workflowExecutionStartedEventAttributes,
      events.at(-1)?.workflowExecutionContinuedAsNewEventAttributes,
    ];
    const payload = (of === 'started' ? first : last)?.input?.payloads?.[0];
    return JSON.parse(Buffer.from(payload?.data ?? []).toString()) as ContractLineInput;
  }

  test('that a run had no time for is carried out by the next run', async () => {
    const deal = await startDeal(engine, testDeal({ lines: [service({ endDate: '2026-06-30' })] }));
    await bringToDelivery(engine, deal);
    const line = await handleOf(engine, deal, 'B');
    const given = await inputOf(line, (await line.describe()).runId, 'started');
    await line.terminate('its next run begins');
    await engine.client.workflow.start(contractLine, {
      workflowId: line.workflowId,
      taskQueue: engine.taskQueue,
      args: [{ ...given, goOn: true, stop: { stoppedOn: '2026-03-31', at: deal.now } }],
    });
    const stopped = await until('the line to be stopped', async () => (await linesOf(engine, deal)).find((row) => row.stopped_on !== null));
    expect(stopped.stopped_on).toBe('2026-03-31');
    await deal.handle.terminate();
  });

  test('is handed to the next run, which does not stop it a second time', async () => {
    const deal = await startDeal(engine, testDeal({ lines: [service({ endDate: '2026-06-30' })] }));
    await bringToDelivery(engine, deal);
    await requestCancellation(engine, deal, '2026-03-31');
    await approve(engine, deal, 'cancellation');
    await until('the line to be stopped', async () => (await linesOf(engine, deal)).some((row) => row.stopped_on !== null));
    const line = await handleOf(engine, deal, 'B');
    const { runId } = await line.describe();
    await fillHistory(line, deal.now);
    await until('a new run of the line', async () => (await line.describe()).runId !== runId);
    const next = await inputOf(line, runId, 'next');
    expect(next).toMatchObject({ goOn: true, stop: { stoppedOn: '2026-03-31' } });
    await until('the next run to have looked', async () => (await line.query(lineQuery))?.stage === 'stopped');
    const stops = await engine.db
      .selectFrom('effect')
      .select('key')
      .where('key', 'like', 'stop-line/%')
      .where('workflow_id', '=', line.workflowId)
      .execute();
    expect(stops).toHaveLength(1);
    expect((await openWaits(engine, deal.dealId)).filter((wait) => wait.kind === 'stuck')).toEqual([]);
    await deal.handle.terminate();
  });
});
