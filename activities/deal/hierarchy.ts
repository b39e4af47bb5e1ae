import { type Transaction } from 'kysely';
import { uuidv7 } from 'uuidv7';
import { type DealRow } from '../../db/deals';
import { type DB } from '../../db/types';
import { lineAmount } from '../../domain/deal/amount';
import { type LineTerms } from '../../domain/deal/terms';
import { sum } from '../../domain/decimal';

/** Project hierarchy of one line from the delivery plan: phase, work packages, tasks, and the budget baseline. */
export async function createHierarchy(
  trx: Transaction<DB>,
  deal: DealRow,
  projectId: string,
  contractLineId: string,
  line: LineTerms,
): Promise<void> {
  const phaseId = uuidv7();
  await trx
    .insertInto('project_phase')
    .values({
      id: phaseId,
      project_id: projectId,
      contract_line_id: contractLineId,
      code: line.lineId,
      name: line.name,
      start_date: line.startDate,
      end_date: line.endDate,
    })
    .execute();
  const tasks = await trx
    .selectFrom('deal_estimate')
    .selectAll()
    .where('deal_id', '=', deal.id)
    .where('line_id', '=', line.lineId)
    .orderBy('task_id')
    .execute();
  const packages = new Map<string, string>();
  for (const task of tasks) {
    if (packages.has(task.work_package_id)) continue;
    const id = uuidv7();
    packages.set(task.work_package_id, id);
    await trx
      .insertInto('work_package')
      .values({ id, phase_id: phaseId, code: task.work_package_id, name: task.work_package_name, service_line: task.service_line })
      .execute();
  }
  if (tasks.length > 0)
    await trx
      .insertInto('work_task')
      .values(
        tasks.map((task) => ({
          id: uuidv7(),
          work_package_id: packages.get(task.work_package_id) ?? '',
          project_id: projectId,
          code: task.task_id,
          role_code: task.role_code,
          estimate_hours: task.estimate_hours,
          planned_start: task.planned_start,
          planned_end: task.planned_end,
          closed_on: task.closed_on,
          valid_from: task.valid_from,
          billable: task.billable,
        })),
      )
      .execute();
  await trx
    .insertInto('budget_version')
    .values({
      project_id: projectId,
      version: 1,
      contract_line_id: contractLineId,
      hours: sum(tasks.map((task) => task.estimate_hours)),
      price_minor: lineAmount(line)?.minor ?? 0,
      cost_minor: null,
      currency: line.currency,
    })
    .execute();
}
