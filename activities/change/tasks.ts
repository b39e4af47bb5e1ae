import { type Transaction } from 'kysely';
import { uuidv7 } from 'uuidv7';
import { type DB } from '../../db/types';
import { type ChangeOrder } from '../../domain/change/change-order';

/** Until its change order is applied, no work on a task is under the contract (S-20). */
const NOT_YET = '9999-12-31';

/** Work packages and tasks of a change order that is not applied yet. */
export async function insertNewTasks(trx: Transaction<DB>, dealId: string, changeOrderId: string, order: ChangeOrder): Promise<void> {
  const phases = await trx
    .selectFrom('project_phase as phase')
    .innerJoin('contract_line as line', 'line.id', 'phase.contract_line_id')
    .select(['phase.id', 'phase.project_id as projectId', 'line.line_id as lineId'])
    .where('line.deal_id', '=', dealId)
    .execute();
  for (const { path, to } of order.changes) {
    const [scope, workPackageId] = path.split('.');
    if (scope !== 'workPackages' || workPackageId === undefined || typeof to !== 'string') continue;
    const tasks = order.tasks.filter((task) => task.workPackageId === workPackageId);
    const [first] = tasks;
    const phase = phases.find((each) => each.lineId === first?.lineId);
    if (first === undefined || phase === undefined) throw new Error(`work package ${workPackageId} has no line`);
    const packageId = uuidv7();
    await trx
      .insertInto('work_package')
      .values({ id: packageId, phase_id: phase.id, code: workPackageId, name: to, service_line: first.serviceLine })
      .execute();
    const rows = tasks.map((task) => ({
      id: uuidv7(),
      work_package_id: packageId,
      project_id: phase.projectId,
      code: task.taskId,
      role_code: task.roleCode,
      estimate_hours: task.estimateHours,
      planned_start: task.plannedStart,
      planned_end: task.plannedEnd,
      closed_on: task.closedOn,
      valid_from: NOT_YET,
      billable: task.billable,
      change_order_id: changeOrderId,
    }));
    await trx.insertInto('work_task').values(rows).execute();
  }
}

/** The change order is applied: work on its tasks is under the contract from the day of their package (S-02, S-20). */
export async function openNewTasks(trx: Transaction<DB>, changeOrderId: string, order: ChangeOrder): Promise<void> {
  for (const { path, inForceFrom } of order.changes) {
    const [scope, workPackageId] = path.split('.');
    if (scope !== 'workPackages' || workPackageId === undefined) continue;
    const own = trx.selectFrom('work_package').select('id').where('code', '=', workPackageId);
    await trx
      .updateTable('work_task')
      .set({ valid_from: inForceFrom })
      .where('change_order_id', '=', changeOrderId)
      .where('work_package_id', 'in', own)
      .execute();
  }
}
