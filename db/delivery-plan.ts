import { sql, type Kysely, type Selectable, type Transaction } from 'kysely';
import { hashOf } from './hash';
import { type DB } from './types';

/** A task of a delivery plan as it is sent, kept and shown. */
export interface PlanTask {
  readonly taskId: string;
  readonly workPackageId: string;
  readonly lineId: string;
  readonly phase: string;
  readonly workPackageName: string;
  readonly serviceLine: string;
  readonly roleCode: string;
  readonly estimateHours: string;
  readonly plannedStart: string;
  readonly plannedEnd: string;
  readonly closedOn: string | null;
  readonly validFrom: string;
  readonly billable: boolean;
}

/** The stream of a deal in the inbox, in which its delivery plans follow one another. */
export function planStream(dealId: string): string {
  return `deal/${dealId}`;
}

/** The plan that was applied last; without tasks where there is none yet. */
export async function appliedPlan(db: Kysely<DB>, dealId: string): Promise<PlanTask[]> {
  const rows = await db.selectFrom('deal_estimate').selectAll().where('deal_id', '=', dealId).orderBy('task_id').execute();
  return rows.map(task);
}

/**
 * The plan that stands for whoever comes next: the last one accepted, which may wait for its turn in the inbox, else the last one applied.
 * One that cannot be applied does not stand.
 */
export async function standingPlan(db: Kysely<DB>, dealId: string): Promise<PlanTask[]> {
  const accepted = await db
    .selectFrom('inbox_event as event')
    .select('event.payload')
    .where('event.source', '=', 'api')
    .where('event.subject', '=', planStream(dealId))
    .where('event.type', '=', 'delivery-plan')
    .where('event.state', 'in', ['received', 'delivered'])
    .where((eb) =>
      eb.not(
        eb.exists(
          eb
            .selectFrom('effect')
            .select('key')
            .where('key', '=', sql<string>`'intake/' || event.id`),
        ),
      ),
    )
    .orderBy('event.source_order', 'desc')
    .orderBy('event.id', 'desc')
    .limit(1)
    .executeTakeFirst();
  return accepted === undefined ? appliedPlan(db, dealId) : sorted((accepted.payload as { tasks: PlanTask[] }).tasks);
}

/** The version of a plan: the same for the same tasks in whatever order (R-096). */
export function planTag(tasks: readonly PlanTask[]): string {
  return hashOf(sorted(tasks)).slice(0, 32);
}

/** One after the other: who looks which plan stands, and then replaces it, is not overtaken. */
export async function lockPlan(trx: Transaction<DB>, dealId: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`delivery-plan/${dealId}`}, 0))`.execute(trx);
}

export async function replacePlan(trx: Transaction<DB>, dealId: string, tasks: readonly PlanTask[]): Promise<void> {
  await trx.deleteFrom('deal_estimate').where('deal_id', '=', dealId).execute();
  for (const each of tasks)
    await trx
      .insertInto('deal_estimate')
      .values({
        deal_id: dealId,
        task_id: each.taskId,
        line_id: each.lineId,
        phase: each.phase,
        work_package_id: each.workPackageId,
        work_package_name: each.workPackageName,
        service_line: each.serviceLine,
        role_code: each.roleCode,
        estimate_hours: each.estimateHours,
        planned_start: each.plannedStart,
        planned_end: each.plannedEnd,
        closed_on: each.closedOn,
        valid_from: each.validFrom,
        billable: each.billable,
      })
      .execute();
}

function sorted(tasks: readonly PlanTask[]): PlanTask[] {
  return [...tasks].sort((a, b) => (a.taskId < b.taskId ? -1 : 1));
}

function task(row: Selectable<DB['deal_estimate']>): PlanTask {
  return {
    taskId: row.task_id,
    workPackageId: row.work_package_id,
    lineId: row.line_id,
    phase: row.phase,
    workPackageName: row.work_package_name,
    serviceLine: row.service_line,
    roleCode: row.role_code,
    estimateHours: row.estimate_hours,
    plannedStart: row.planned_start,
    plannedEnd: row.planned_end,
    closedOn: row.closed_on,
    validFrom: row.valid_from,
    billable: row.billable,
  };
}
