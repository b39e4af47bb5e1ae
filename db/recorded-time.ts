import { sql, type Kysely, type RawBuilder } from 'kysely';
import { type LocalDate } from '../domain/deal/terms';
import { type TimeEntry } from '../domain/time-policy/entry';
import { utc } from './instant-text';
import { type PriceableWork } from './unbilled';
import { type DB } from './types';

/** An entry as it is judged; `taskId` is that of the project, `contractLineId` its line. */
export interface RecordedTime extends TimeEntry, Pick<PriceableWork, 'serviceLine'> {
  readonly contractLineId: string;
}

/** Time of people on the lines of a deal that was not rejected. */
export function timeOfPeople(db: Kysely<DB>, dealId: string, personIds: readonly string[]): Promise<RecordedTime[]> {
  return recorded(db, sql`line.deal_id = ${dealId} and entry.person_id = any(${personIds}::text[])`);
}

/**
 * Time of a line up to a day that could be billed and is not settled yet, and beside it all time of the same people on the same days, among which a
 * duplicate would be (S-20).
 */
export function timeToBill(db: Kysely<DB>, contractLineId: string, lastDay: LocalDate): Promise<RecordedTime[]> {
  return recorded(
    db,
    sql`entry.contract_line_id = ${contractLineId} and (entry.person_id, entry.work_date) in (
      select due.person_id, due.work_date
        from time_entry as due left join time_price as price on price.entry_id = due.entry_id
       where due.contract_line_id = ${contractLineId} and due.status = 'approved' and due.billable
         and due.work_date <= ${lastDay}
         and (price.entry_id is null or due.entry_id in (select entry_id from parked_entry where contract_line_id = ${contractLineId})))`,
  );
}

/** Who has time of a deal in which week, by a date of it; rejected time does not count (S-21, S-22). */
export async function weeksWithTime(db: Kysely<DB>, dealId: string): Promise<{ personId: string; workDate: string }[]> {
  const { rows } = await sql<{ personId: string; workDate: string }>`
    select entry.person_id as "personId", min(entry.work_date) as "workDate"
      from time_entry as entry join contract_line as line on line.id = entry.contract_line_id
     where line.deal_id = ${dealId} and entry.status <> 'rejected'
     group by entry.person_id, date_trunc('week', entry.work_date::timestamp)`.execute(db);
  return rows;
}

async function recorded(db: Kysely<DB>, which: RawBuilder<unknown>): Promise<RecordedTime[]> {
  const { rows } = await sql<RecordedTime>`
    select entry.entry_id as "entryId", entry.person_id as "personId", line.line_id as "lineId", line.id as "contractLineId",
           entry.work_task_id as "taskId", entry.work_date as "workDate", entry.role_code as "roleCode", entry.hour_type as "hourType",
           entry.hours, entry.work_country as "workCountry", entry.onsite, entry.rest_day_approval as "restDayApproval", entry.billable,
           entry.rework, entry.status, ${utc('entry.submitted_at')} as "submittedAt", ${utc('entry.approved_at')} as "approvedAt",
           package.service_line as "serviceLine"
      from time_entry as entry
      join contract_line as line on line.id = entry.contract_line_id
      join work_task as task on task.id = entry.work_task_id
      join work_package as package on package.id = task.work_package_id
     where entry.status <> 'rejected' and ${which}`.execute(db);
  return rows;
}
