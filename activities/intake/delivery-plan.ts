import { type Transaction } from 'kysely';
import { z } from 'zod';
import { deliveryPlanSchema } from '../../contracts/api/deals';
import { lockDeal } from '../../db/deals';
import { type DB } from '../../db/types';
import { type Violation } from '../../domain/violation';
import { type Applied, type IntakeEvent } from './intake';

const planSchema = z.object({ dealId: z.uuid(), ...deliveryPlanSchema.shape });

/** The delivery plan of a deal before its approval, which is given on its margin: each plan replaces the one before; afterwards the project changes by change order. */
export async function applyDeliveryPlan(trx: Transaction<DB>, event: IntakeEvent): Promise<Applied | Violation> {
  const { dealId, tasks } = planSchema.parse(event.payload);
  const deal = await lockDeal(trx, dealId);
  const frozen = !['handoff', 'terms'].includes(deal.state);
  const rowErrors: Violation[] = frozen
    ? [{ violation: 'BaselineFrozen', detail: `the deal is in stage ${deal.state}: what is approved is not changed behind the approval` }]
    : [];
  if (!frozen) {
    await trx.deleteFrom('deal_estimate').where('deal_id', '=', dealId).execute();
    for (const task of tasks)
      await trx
        .insertInto('deal_estimate')
        .values({
          deal_id: dealId,
          task_id: task.taskId,
          line_id: task.lineId,
          phase: task.phase,
          work_package_id: task.workPackageId,
          work_package_name: task.workPackageName,
          service_line: task.serviceLine,
          role_code: task.roleCode,
          estimate_hours: task.estimateHours,
          planned_start: task.plannedStart,
          planned_end: task.plannedEnd,
          closed_on: task.closedOn,
          valid_from: task.validFrom,
          billable: task.billable,
        })
        .execute();
  }
  return {
    stream: `deal/${dealId}`,
    action: 'delivery-plan.recorded',
    details: { tasks: tasks.length },
    rowErrors,
    invoices: [],
    lines: [],
    deals: [],
    projects: [],
  };
}
