import { sql, type Transaction } from 'kysely';
import { uuidv7 } from 'uuidv7';
import { type JournalDimensions, type JournalEntry } from '../domain/accounting/journal';
import { monthOf } from '../domain/calendar/dates';
import { type DB } from './types';

/** The accounting framework of the postings; further books follow. */
export const BOOK = 'primary';

/**
 * Posts an entry once; a repeated key is a bug of the caller and fails on its unique key. The balance is checked by the database too (I-03).
 * What comes after its month was closed stands in the first month that takes postings and names the month it concerns (R-135, I-10).
 */
export async function postEntry(trx: Transaction<DB>, entry: JournalEntry): Promise<string> {
  const id = uuidv7();
  const date = await postingDate(trx, entry.entityId, entry.date);
  await trx
    .insertInto('journal_entry')
    .values({
      id,
      entry_key: entry.entryKey,
      entity_id: entry.entityId,
      book: entry.book,
      date,
      narrative: entry.narrative,
      concerns_month: entry.concernsMonth ?? (date === entry.date ? null : monthOf(entry.date)),
    })
    .execute();
  await trx
    .insertInto('journal_line')
    .values(
      entry.lines.map((line, position) => ({
        entry_id: id,
        position,
        account_code: line.account,
        debit_minor: line.debitMinor,
        credit_minor: line.creditMinor,
        currency: line.currency,
        customer_id: line.dimensions.customerId,
        project_id: line.dimensions.projectId,
        contract_line_id: line.dimensions.lineId,
        service_line: line.dimensions.serviceLine,
        practice: line.dimensions.practice,
        region: line.dimensions.region,
      })),
    )
    .execute();
  return id;
}

/** The date itself, or the first day of the first open month where its own is closed; the month stays open until the transaction ends. */
async function postingDate(trx: Transaction<DB>, entityId: string, date: string): Promise<string> {
  const { rows } = await sql<{ date: string }>`select posting_date(${entityId}, ${date}::date) as date`.execute(trx);
  return rows[0]?.date ?? date;
}

/** An entry as it was posted, for its mirror. Throws where there is none. */
export async function entryByKey(trx: Transaction<DB>, entryKey: string): Promise<JournalEntry> {
  const head = await trx.selectFrom('journal_entry').selectAll().where('entry_key', '=', entryKey).executeTakeFirstOrThrow();
  const lines = await trx.selectFrom('journal_line').selectAll().where('entry_id', '=', head.id).orderBy('position').execute();
  return {
    entryKey,
    book: head.book,
    entityId: head.entity_id,
    date: head.date,
    narrative: head.narrative,
    lines: lines.map((line) => ({
      account: line.account_code,
      debitMinor: line.debit_minor,
      creditMinor: line.credit_minor,
      currency: line.currency,
      dimensions: {
        customerId: line.customer_id,
        projectId: line.project_id,
        lineId: line.contract_line_id,
        serviceLine: line.service_line,
        practice: line.practice,
        region: line.region,
      },
    })),
  };
}

/** The reporting dimensions of a contract line (DESIGN §5). */
export async function dimensionsOf(trx: Transaction<DB>, contractLineId: string): Promise<JournalDimensions> {
  const row = await trx
    .selectFrom('contract_line as line')
    .innerJoin('bill_to_account as account', 'account.id', 'line.bill_to_id')
    .leftJoin('project', 'project.deal_id', 'line.deal_id')
    .select(['line.id', 'line.service_line', 'line.practice', 'line.region', 'account.customer_id', 'project.id as projectId'])
    .where('line.id', '=', contractLineId)
    .executeTakeFirstOrThrow();
  return {
    customerId: row.customer_id,
    projectId: row.projectId,
    lineId: row.id,
    serviceLine: row.service_line,
    practice: row.practice,
    region: row.region,
  };
}
