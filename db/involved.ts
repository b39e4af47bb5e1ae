import { sql, type Kysely } from 'kysely';
import { type PerformedDuty } from '../domain/approval/duties';
import { isExceptionPath } from '../domain/exception/paths';
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

/** What a decision is about, as its approval names it. */
export interface Decided {
  readonly subject_kind: string;
  readonly subject_id: string;
  readonly deal_id: string | null;
}

/** Duties of some people that stand behind the subject of a decision, beside those on its deal (R-245). */
export async function dutiesBehind(db: Kysely<DB>, { subject_kind, subject_id, deal_id }: Decided, people: readonly string[]) {
  const isInvoice = subject_kind === 'invoice';
  const isCorrection = subject_kind === 'correction';
  const { rows } = await sql<{ duty: string; by: string }>`
    select duty, done_by as by from performed_duty where duty = 'user.administer' and done_by = any(${people}::text[])
    ${isInvoice ? sql`union ${ratesEdited(subject_id, people)}` : sql``}
    ${isCorrection ? sql`union ${cashApplied(deal_id, people)}` : sql``}`.execute(db);
  const behind = rows.map(({ duty, by }): PerformedDuty => ({ duty, subjectId: subject_id, by, onBehalfOf: null }));
  if (isExceptionPath(subject_kind)) return [...behind, ...(await dutiesOnRecords(db, subject_kind, subject_id))];
  return isCorrection ? [...behind, ...(await dutiesOnCredited(db, subject_id))] : behind;
}

/** Who worked, spent or approved what the outcome of an exception is about: they did not do it for others to look away (R-315). */
async function dutiesOnRecords(db: Kysely<DB>, path: string, choiceId: string): Promise<PerformedDuty[]> {
  const { rows } = await sql<{ by: string }>`
    with record as (
      select finding.reference from exception_item as item join policy_finding as finding on finding.id = item.finding_id
       where item.choice_id = ${choiceId}
      union
      select parked.entry_id from exception_choice as choice
        join process_exception as trouble on trouble.id = choice.exception_id and trouble.path = 'scope-change' and trouble.workflow_id like 'line/%'
        join parked_entry as parked on parked.contract_line_id = trouble.contract_line_id where choice.id = ${choiceId}
    ), fact as (
      select person_id, approved_by from time_entry join record on entry_id = reference
      union select person_id, approved_by from expense join record on expense_id = reference
    )
    select approved_by as by from fact where approved_by is not null
    union select worker.id from fact join app_user as worker on worker.person_id = fact.person_id`.execute(db);
  return rows.map(({ by }) => ({ duty: `${path}.enter`, subjectId: choiceId, by, onBehalfOf: null }));
}

/** Who edited a rate that prices the time on an invoice (RULES: the bill run it prices). */
function ratesEdited(invoiceId: string, people: readonly string[]) {
  return sql`
    select edit.duty, edit.done_by
      from invoiced_item as item
      join time_price as price on price.entry_id = item.entry_id
      join performed_duty as edit on edit.duty = 'rate-card.edit' and edit.subject_id = price.rate_id
     where item.invoice_id = ${invoiceId}::uuid and edit.done_by = any(${people}::text[])`;
}

/** Who brought a bank statement of which a payment was applied to an invoice of the deal. */
function cashApplied(dealId: string | null, people: readonly string[]) {
  return sql`
    select 'cash.apply', event.payload ->> 'by'
      from inbox_event as event
     where event.payload ->> 'by' = any(${people}::text[]) and event.id in (
       select statement.inbox_event_id
         from invoice
         join payment_application as applied on applied.invoice_id = invoice.id
         join payment on payment.id = applied.payment_id
         join bank_statement as statement on statement.id = payment.bank_statement_id
        where invoice.deal_id = ${dealId}::uuid)`;
}

/** The time on the invoice that a correction credits. */
async function dutiesOnCredited(db: Kysely<DB>, correctionId: string): Promise<PerformedDuty[]> {
  const of = db.selectFrom('invoice_correction').select('invoice_id').where('id', '=', correctionId);
  return dutiesOnItems(db, (await of.executeTakeFirstOrThrow()).invoice_id);
}
