import { sql, type Kysely, type Selectable, type Transaction } from 'kysely';
import { formatMoney, parseMoney } from '../domain/money';
import { isViolation } from '../domain/violation';
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

/** What a plan sets aside for subcontractors, of a line or of a work package of it. */
export interface PlanBudget {
  readonly lineId: string;
  readonly workPackageId: string | null;
  readonly cost: string;
  readonly currency: string;
}

export interface DeliveryPlan {
  readonly tasks: readonly PlanTask[];
  readonly subcontractorBudgets: readonly PlanBudget[];
}

/** The stream of a deal in the inbox, in which its delivery plans follow one another. */
export function planStream(dealId: string): string {
  return `deal/${dealId}`;
}

/** The plan that was applied last; without tasks where there is none yet. */
export async function appliedPlan(db: Kysely<DB>, dealId: string): Promise<DeliveryPlan> {
  const rows = await db.selectFrom('deal_estimate').selectAll().where('deal_id', '=', dealId).orderBy('task_id').execute();
  return { tasks: rows.map(task), subcontractorBudgets: await plannedBudgets(db, dealId) };
}

/** What the plan that was applied last sets aside for subcontractors. */
export async function plannedBudgets(db: Kysely<DB>, dealId: string): Promise<PlanBudget[]> {
  const rows = await db.selectFrom('planned_subcontractor_budget').selectAll().where('deal_id', '=', dealId).execute();
  return inOrder(
    rows.map(({ line_id: lineId, work_package_id: workPackageId, cost_minor: minor, currency }) => ({
      lineId,
      workPackageId,
      cost: formatMoney({ minor, currency }),
      currency,
    })),
  );
}

/**
 * The plan that stands for whoever comes next: the last one accepted, which may wait for its turn in the inbox, else the last one applied.
 * One that cannot be applied does not stand.
 */
export async function standingPlan(db: Kysely<DB>, dealId: string): Promise<DeliveryPlan> {
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
  if (accepted === undefined) return appliedPlan(db, dealId);
  const { tasks, subcontractorBudgets = [] } = accepted.payload as { tasks: PlanTask[]; subcontractorBudgets?: PlanBudget[] };
  return { tasks: sorted(tasks), subcontractorBudgets: inOrder(subcontractorBudgets) };
}

/** The version of a plan: the same for the same tasks and budgets in whatever order (R-096). */
export function planTag({ tasks, subcontractorBudgets: budgets }: DeliveryPlan): string {
  const plan = sorted(tasks);
  return hashOf(budgets.length === 0 ? plan : { tasks: plan, budgets: inOrder(budgets) }).slice(0, 32);
}

/** One after the other: who looks which plan stands, and then replaces it, is not overtaken. */
export async function lockPlan(trx: Transaction<DB>, dealId: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`delivery-plan/${dealId}`}, 0))`.execute(trx);
}

export async function replacePlan(trx: Transaction<DB>, dealId: string, plan: DeliveryPlan): Promise<void> {
  const { tasks, subcontractorBudgets } = plan;
  await trx.deleteFrom('planned_subcontractor_budget').where('deal_id', '=', dealId).execute();
  for (const { lineId, workPackageId, cost, currency } of subcontractorBudgets)
    await trx
      .insertInto('planned_subcontractor_budget')
      .values({ deal_id: dealId, line_id: lineId, work_package_id: workPackageId, cost_minor: minorOf(cost, currency), currency })
      .execute();
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

/** The door has read it as an amount. */
function minorOf(cost: string, currency: string): number {
  const amount = parseMoney(cost, currency);
  if (isViolation(amount)) throw new Error(`${amount.violation}: ${amount.detail}`);
  return amount.minor;
}

/** By line and work package, with the digits of their currency: the same budgets are the same plan. */
function inOrder(budgets: readonly PlanBudget[]): PlanBudget[] {
  const placed = budgets.map((each) => ({
    ...each,
    cost: formatMoney({ minor: minorOf(each.cost, each.currency), currency: each.currency }),
  }));
  const key = ({ lineId, workPackageId }: PlanBudget) => `${lineId} ${workPackageId ?? ''}`;
  return placed.sort((a, b) => (key(a) < key(b) ? -1 : 1));
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
