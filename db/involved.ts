import { sql, type Kysely } from 'kysely';
import { type PerformedDuty } from '../domain/approval/duties';
import { type DB } from './types';

/**
 * Who worked, spent or approved what an invoice bills or billed, as duties of time (R-066, SOD-2): approving an expense counts like
 * approving time.
 */
export async function dutiesOnItems(db: Kysely<DB>, invoiceId: string): Promise<PerformedDuty[]> {
  const { rows } = await sql<{ duty: string; by: string }>`
    with fact as (
      select entry.person_id, entry.approved_by from invoiced_item as item join time_entry as entry on entry.entry_id = item.entry_id
       where item.invoice_id = ${invoiceId}
      union
      select expense.person_id, expense.approved_by from invoiced_item as item join expense on expense.expense_id = item.expense_id
       where item.invoice_id = ${invoiceId}
    )
    select distinct 'time.approve' as duty, approved_by as by from fact where approved_by is not null
    union
    select 'time.enter', worker.id from fact join app_user as worker on worker.person_id = fact.person_id`.execute(db);
  return rows.map(({ duty, by }) => ({ duty, subjectId: invoiceId, by, onBehalfOf: null }));
}
