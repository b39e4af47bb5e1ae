import { type Kysely } from 'kysely';
import { uuidv7 } from 'uuidv7';
import { type DB } from '../../db/types';
import { expenseTable, timeTable, usageTable } from '../../integrations/tables/kinds';
import { type Table } from '../../integrations/tables/table';
import { type Facts } from './api-facts';

type Cells = Readonly<Record<string, string>>;

/** A row of a time file, as its cells are written; of the task that `insertTask` makes. */
export function timeRow(over: Cells = {}): Cells {
  return {
    entry_id: 'TE-1',
    person_id: 'P-001',
    work_date: '2026-03-02',
    line_id: 'A',
    wp_id: 'WP1',
    task_id: 'T1',
    role_code: 'CON',
    hour_type: 'regular',
    hours: '7.50',
    work_country: 'US',
    onsite: 'N',
    rest_day_approval: '',
    billable: 'Y',
    rework: 'N',
    note: '',
    status: 'approved',
    submitted_at: '2026-03-03T09:00:00Z',
    approved_at: '2026-03-04T09:00:00Z',
    approved_by: 'U-PM-US',
    ...over,
  };
}

export function expenseRow(over: Cells = {}): Cells {
  return {
    expense_id: 'EX-1',
    report_id: 'ER-1',
    person_id: 'P-001',
    line_id: 'A',
    spend_date: '2026-03-02',
    country: 'US',
    category: 'hotel',
    quantity: '2',
    unit: 'night',
    currency: 'USD',
    amount_gross: '613.60',
    recoverable_tax: '0.00',
    receipt: 'Y',
    justification: '',
    billable: 'Y',
    status: 'approved',
    submitted_at: '2026-03-03T09:00:00Z',
    approved_at: '2026-03-04T09:00:00Z',
    approved_by: 'U-PM-US',
    ...over,
  };
}

export function usageRow(over: Cells = {}): Cells {
  return {
    event_id: 'U-1',
    service_period: '2026-02',
    line_id: 'A',
    tickets: '120',
    p1_tickets: '20',
    p1_within_target: '19',
    supersedes: '',
    reported_at: '2026-03-01T07:00:00Z',
    ...over,
  };
}

export const timeFile = (rows: readonly Cells[]): string => file(timeTable, rows);
export const expenseFile = (rows: readonly Cells[]): string => file(expenseTable, rows.map(expenseRow));

export const usageFile = (rows: readonly Cells[]): string => file(usageTable, rows.map(usageRow));

function file({ columns }: Table, rows: readonly Cells[]): string {
  const names = columns.map(({ name }) => name);
  return [names.join(','), ...rows.map((row) => names.map((name) => row[name] ?? '').join(',')), ''].join('\n');
}

/** Task T1 in work package WP1 of the project of these facts. */
export async function insertTask(db: Kysely<DB>, { projectId }: Pick<Facts, 'projectId'>): Promise<void> {
  const work = await db
    .selectFrom('work_package')
    .innerJoin('project_phase', 'project_phase.id', 'work_package.phase_id')
    .select('work_package.id')
    .where('project_phase.project_id', '=', projectId)
    .executeTakeFirstOrThrow();
  await db
    .insertInto('work_task')
    .values({
      id: uuidv7(),
      work_package_id: work.id,
      project_id: projectId,
      code: 'T1',
      role_code: 'CON',
      estimate_hours: '100',
      planned_start: '2026-02-01',
      planned_end: '2026-07-31',
      valid_from: '2026-02-01',
      billable: true,
    })
    .execute();
}
