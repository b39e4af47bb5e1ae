import { uuidv7 } from 'uuidv7';
import { putInboxEvent } from '../../db/inbox';
import { intakeWorkflowId } from '../../domain/ids';
import { enqueueSignal } from '../../workflows/intake/messages';
import { intake } from '../../workflows/intake/workflow';
import { type TestDeal } from './lifecycles';
import { uniqueName } from './temporal';
import { type TestEngine } from './worker';

interface Worked {
  readonly entryId: string;
  readonly workDate: string;
  readonly hours: string;
  readonly approvedAt: string;
  /** Approved unless told otherwise. */
  readonly status?: 'submitted' | 'rejected';
}

/** Time of one person on the task of a line, reported at the moment of the deal; waits until it is applied. */
export async function reportTime(engine: TestEngine, deal: TestDeal, lineId: string, worked: readonly Worked[]): Promise<void> {
  const taskId = await taskOf(engine, deal, lineId);
  const { id: personId } = await engine.db.selectFrom('person').select('id').orderBy('id').executeTakeFirstOrThrow();
  const name = uniqueName('time');
  const entries = worked.map(({ entryId, workDate, hours, approvedAt, status = 'approved' }) => ({
    entryId: `${deal.dealId}/${entryId}`,
    personId,
    workDate,
    lineId,
    taskId,
    hourType: 'regular',
    hours,
    workCountry: 'US',
    onsite: false,
    restDayApproval: null,
    billable: true,
    rework: false,
    note: null,
    status,
    submittedAt: `${workDate}T20:00:00.000Z`,
    ...(status === 'approved' ? { approvedAt, approvedBy: 'U-PM-US' } : { approvedAt: null, approvedBy: null }),
  }));
  const { row } = await putInboxEvent(engine.db, {
    source: 'time',
    eventId: name,
    type: 'time-entries',
    subject: deal.dealId,
    sourceOrder: '1',
    occurredAt: deal.now,
    businessReceivedAt: deal.now,
    payload: { dealId: deal.dealId, entries },
  });
  const handle = await engine.client.workflow.signalWithStart(intake, {
    workflowId: intakeWorkflowId(name),
    taskQueue: engine.taskQueue,
    args: [{ stream: name, clock: { simulated: true, moment: deal.now } }],
    signal: enqueueSignal,
    signalArgs: [{ inboxEventId: row.id, at: deal.now }],
  });
  await handle.result();
}

/** The task of a line whose deal came without a delivery plan. */
async function taskOf(engine: TestEngine, deal: TestDeal, lineId: string): Promise<string> {
  const code = `${lineId}-T1`;
  const phase = await engine.db
    .selectFrom('project_phase')
    .innerJoin('project', 'project.id', 'project_phase.project_id')
    .select(['project_phase.id', 'project.id as projectId'])
    .where('project.deal_id', '=', deal.dealId)
    .where('project_phase.code', '=', lineId)
    .executeTakeFirstOrThrow();
  const packageId = uuidv7();
  const added = await engine.db
    .insertInto('work_package')
    .values({ id: packageId, phase_id: phase.id, code: `${lineId}-W1`, name: 'Work', service_line: 'advisory' })
    .onConflict((conflict) => conflict.doNothing())
    .returning('id')
    .executeTakeFirst();
  if (added)
    await engine.db
      .insertInto('work_task')
      .values({
        id: uuidv7(),
        work_package_id: packageId,
        project_id: phase.projectId,
        code,
        role_code: 'PRN',
        estimate_hours: '10',
        planned_start: '2026-01-01',
        planned_end: '2026-12-31',
        valid_from: '2026-01-01',
        billable: true,
      })
      .execute();
  return code;
}
