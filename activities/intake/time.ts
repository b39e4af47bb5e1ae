import { sql, type Transaction } from 'kysely';
import { z } from 'zod';
import { timeEntriesRequest, timeEntry } from '../../contracts/api/intake';
import { type DB } from '../../db/types';
import { reviewTime } from '../policy/time-review';
import { type Applied, type IntakeEvent } from './intake';
import { applyRows, asViolations, type ReportedFact } from './rows';
import { whoLooksAgain } from './who-looks';

/** Time that was worked, by entry. The role is that of the task where the entry names none. */
export const TIME: ReportedFact = {
  table: 'time_entry',
  key: 'entry_id',
  columns: {
    person_id: 'text',
    work_date: 'date',
    line_id: 'text',
    wp_id: 'text',
    task_id: 'text',
    role_code: 'text',
    hour_type: 'text',
    hours: 'numeric',
    work_country: 'text',
    onsite: 'boolean',
    rest_day_approval: 'text',
    billable: 'boolean',
    rework: 'boolean',
    note: 'text',
  },
  named: (dealId) => sql`
    line as materialized (select id, line_id from contract_line where deal_id = ${dealId}),
    task as materialized (
      select work_task.id, work_task.code, work_task.role_code, work_package.code as package_code, project_phase.contract_line_id
        from project
        join work_task on work_task.project_id = project.id
        join work_package on work_package.id = work_task.work_package_id
        join project_phase on project_phase.id = work_package.phase_id
       where project.deal_id = ${dealId}
    )`,
  references: sql`
    left join person on person.id = incoming.person_id and person.erased_at is null
    left join line on line.line_id = incoming.line_id
    left join task on task.code = incoming.task_id`,
  unresolved: sql`case
    when person.id is null then array['person_id', 'PersonUnknown', incoming.person_id || ' is nobody we know']
    when line.id is null then array['line_id', 'LineUnknown', incoming.line_id || ' is no line of the deal']
    when task.id is null then array['task_id', 'TaskUnknown', incoming.task_id || ' is no task of the project']
    when task.contract_line_id <> line.id
      then array['task_id', 'TaskUnknown', incoming.task_id || ' is no task of line ' || incoming.line_id]
    when incoming.wp_id <> task.package_code
      then array['wp_id', 'TaskUnknown', incoming.task_id || ' is no task of work package ' || incoming.wp_id]
    end`,
  content: {
    contract_line_id: sql`line.id`,
    person_id: sql`incoming.person_id`,
    work_task_id: sql`task.id`,
    role_code: sql`coalesce(incoming.role_code, task.role_code)`,
    work_date: sql`incoming.work_date`,
    hour_type: sql`incoming.hour_type`,
    hours: sql`incoming.hours`,
    work_country: sql`incoming.work_country`,
    onsite: sql`incoming.onsite`,
    rest_day_approval: sql`incoming.rest_day_approval`,
    billable: sql`incoming.billable`,
    rework: sql`incoming.rework`,
    note: sql`incoming.note`,
  },
  changedCode: 'TimeEntryChanged',
  judgedAs: 'time',
};

/** What the door has checked; it also carries who brought it. */
const batchSchema = z.object({ ...timeEntriesRequest.shape, entries: z.array(timeEntry) });
type Entry = z.infer<typeof batchSchema>['entries'][number];

/** A batch of time entries in one document: a redelivered entry is the same entry, a wrong row is named and left out. */
export async function applyTimeEntries(trx: Transaction<DB>, event: IntakeEvent): Promise<Applied> {
  const { dealId, entries } = batchSchema.parse(event.payload);
  const { rows, passes } = rowsOf(entries);
  const applied = await applyRows(trx, TIME, { dealId, passes, content: sql`${JSON.stringify(rows)}::json` });
  return {
    stream: `deal/${dealId}`,
    action: 'time.recorded',
    details: { entries: entries.length, stored: applied.stored, unchanged: applied.unchanged },
    rowErrors: asViolations(applied.refusals, 'entries'),
    invoices: [],
    deals: [],
    ...(await whoLooksAgainAtTime(trx, dealId, event.at)),
  };
}

/** The time that came is judged by policy; then lines and projects that it concerns look again. */
export async function whoLooksAgainAtTime(
  trx: Transaction<DB>,
  dealId: string,
  at: string,
): Promise<Pick<Applied, 'lines' | 'reopened' | 'projects'>> {
  return whoLooksAgain(trx, dealId, await reviewTime(trx, dealId, at), at);
}

function rowsOf(entries: readonly Entry[]): { rows: object[]; passes: number } {
  const seen = new Map<string, number>();
  const rows = entries.map((entry, index) => {
    const pass = (seen.get(entry.entryId) ?? 0) + 1;
    seen.set(entry.entryId, pass);
    return {
      line: index + 1,
      pass,
      entry_id: entry.entryId,
      person_id: entry.personId,
      work_date: entry.workDate,
      line_id: entry.lineId,
      wp_id: entry.workPackageId ?? null,
      task_id: entry.taskId,
      role_code: entry.roleCode ?? null,
      hour_type: entry.hourType,
      hours: entry.hours,
      work_country: entry.workCountry,
      onsite: entry.onsite,
      rest_day_approval: entry.restDayApproval,
      billable: entry.billable,
      rework: entry.rework,
      note: entry.note,
      status: entry.status,
      submitted_at: entry.submittedAt,
      approved_at: entry.approvedAt,
      approved_by: entry.approvedBy,
    };
  });
  return { rows, passes: Math.max(0, ...seen.values()) };
}
