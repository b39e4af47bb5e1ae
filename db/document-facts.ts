import { sql, type Kysely, type Selectable } from 'kysely';
import { type FxRate } from '../domain/fx';
import { type LocalDate } from '../domain/deal/terms';
import { ratesFor } from './parties';
import { documentPolicy, type DocumentPolicy } from './policies';
import { type DB } from './types';

/** What the rows of the database say about a document on its way to its number. */
export interface DocumentFacts {
  readonly invoice: Selectable<DB['invoice']>;
  readonly head: DocumentHead;
  readonly bankAccounts: readonly { readonly account: string; readonly currency: string; readonly details: Record<string, unknown> }[];
  readonly lines: readonly FactLine[];
  readonly items: readonly FactItem[];
  readonly corrects: readonly { readonly number: string; readonly reference: string; readonly issueDate: LocalDate }[];
  readonly people: DocumentPolicy;
  /** For the tax in the currency of the seller; empty where the document is in that currency. */
  readonly rates: readonly FxRate[];
}

export interface DocumentHead {
  readonly sellerName: string;
  readonly sellerLegalForm: string;
  readonly sellerCountry: string;
  readonly sellerCurrency: string;
  readonly sellerAddress: Record<string, unknown> | null;
  readonly sellerRegistrations: readonly { readonly type: string; readonly value: string }[];
  readonly buyerName: string;
  readonly buyerCountry: string;
  readonly buyerAddress: Record<string, unknown> | null;
  readonly buyerRegistrations: readonly { readonly type: string; readonly value: string }[];
  readonly buyerReference: string | null;
  readonly contractNumber: string;
  readonly lineId: string;
  readonly lineName: string;
  readonly lineStart: LocalDate;
  /** The last day of service, which a cancellation may have moved. */
  readonly lineEnd: LocalDate;
  readonly acceptedOn: LocalDate | null;
}

export interface FactLine {
  readonly position: number;
  readonly description: string;
  readonly personId: string | null;
  readonly personName: string | null;
  readonly quantity: string | null;
  readonly unit: string | null;
  readonly unitPrice: string | null;
  readonly amountMinor: number;
}

/** What a line bills. Columns of time are null for what is no time entry, columns of expenses for what is no expense. */
export interface FactItem {
  readonly position: number;
  readonly itemKind: string;
  readonly itemId: string;
  readonly amountMinor: number | null;
  readonly hours: string | null;
  readonly personId: string | null;
  readonly personName: string | null;
  readonly workDate: LocalDate | null;
  readonly roleCode: string | null;
  readonly unitPrice: string | null;
  readonly spendDate: LocalDate | null;
  readonly category: string | null;
  readonly country: string | null;
  readonly spentMinor: number | null;
  readonly spentCurrency: string | null;
}

/** Reads them in a handful of statements; `date` is the day of issue, for policy and rates of exchange. */
export async function documentFacts(db: Kysely<DB>, invoice: Selectable<DB['invoice']>, date: LocalDate): Promise<DocumentFacts> {
  const head = await headOf(db, invoice.id);
  const isForeign = head.sellerCurrency !== invoice.currency && invoice.tax_minor !== 0;
  return {
    invoice,
    head,
    bankAccounts: await bankAccountsOf(db, invoice.entity_id),
    lines: await linesOf(db, invoice.id),
    items: await itemsOf(db, invoice),
    corrects: await correctedBy(db, invoice),
    people: await documentPolicy(db, date, invoice.entity_id),
    rates: isForeign ? await ratesFor(db, [head.sellerCurrency, invoice.currency], date) : [],
  };
}

async function headOf(db: Kysely<DB>, invoiceId: string): Promise<DocumentHead> {
  const row = await db
    .selectFrom('invoice')
    .innerJoin('contract_line as line', 'line.id', 'invoice.contract_line_id')
    .innerJoin('deal', 'deal.id', 'invoice.deal_id')
    .innerJoin('legal_entity as seller', 'seller.id', 'invoice.entity_id')
    .innerJoin('bill_to_account as buyer', 'buyer.id', 'invoice.bill_to_id')
    .leftJoin('invoice as root', 'root.id', 'invoice.root_id')
    .leftJoin('billing_plan_item as item', (join) =>
      join.on('item.id', '=', sql<string>`coalesce(invoice.billing_plan_item_id, root.billing_plan_item_id)`),
    )
    .leftJoin('milestone', (join) =>
      join.onRef('milestone.contract_line_id', '=', 'line.id').onRef('milestone.milestone_id', '=', 'item.trigger_milestone_id'),
    )
    .select([
      'seller.name as sellerName',
      'seller.legal_form as sellerLegalForm',
      'seller.country as sellerCountry',
      'seller.functional_currency as sellerCurrency',
      'seller.address as sellerAddress',
      'seller.tax_registrations as sellerRegistrations',
      'buyer.name as buyerName',
      'buyer.country as buyerCountry',
      'buyer.address as buyerAddress',
      'buyer.tax_registrations as buyerRegistrations',
      'buyer.buyer_reference as buyerReference',
      'deal.contract_number as contractNumber',
      'line.line_id as lineId',
      'line.name as lineName',
      'line.start_date as lineStart',
      'line.end_date as lineEnd',
      'line.stopped_on as stoppedOn',
      'milestone.accepted_on as acceptedOn',
    ])
    .where('invoice.id', '=', invoiceId)
    .executeTakeFirstOrThrow();
  const { stoppedOn, ...head } = row;
  return { ...head, lineEnd: stoppedOn !== null && stoppedOn < head.lineEnd ? stoppedOn : head.lineEnd } as DocumentHead;
}

async function bankAccountsOf(db: Kysely<DB>, entityId: string): Promise<DocumentFacts['bankAccounts']> {
  const rows = await db
    .selectFrom('entity_bank_account')
    .select(['account', 'currency', 'details'])
    .where('entity_id', '=', entityId)
    .orderBy('account')
    .execute();
  return rows.map((row) => ({ ...row, details: (row.details ?? {}) as Record<string, unknown> }));
}

function linesOf(db: Kysely<DB>, invoiceId: string): Promise<FactLine[]> {
  return db
    .selectFrom('invoice_line as line')
    .leftJoin('person', 'person.id', 'line.person_id')
    .select([
      'line.position',
      'line.description',
      'line.person_id as personId',
      'person.name as personName',
      'line.quantity',
      'line.unit',
      'line.unit_price as unitPrice',
      'line.amount_minor as amountMinor',
    ])
    .where('line.invoice_id', '=', invoiceId)
    .orderBy('line.position')
    .execute();
}

/** What a document bills; a credit of an invoice shows what of it is credited, on its own lines and with the sign of a credit note. */
function itemsOf(db: Kysely<DB>, { id, corrects_id, document_kind }: Selectable<DB['invoice']>): Promise<FactItem[]> {
  const credits = corrects_id !== null && document_kind === 'credit-note';
  return db
    .selectFrom('invoiced_item as item')
    .leftJoin('invoice_line as credit', (join) =>
      join.on('credit.invoice_id', '=', sql<string>`${credits ? id : null}`).onRef('credit.corrects_position', '=', 'item.position'),
    )
    .leftJoin('time_entry as entry', 'entry.entry_id', 'item.entry_id')
    .leftJoin('time_price as price', 'price.entry_id', 'item.entry_id')
    .leftJoin('expense', 'expense.expense_id', 'item.expense_id')
    .leftJoin('person', (join) => join.on('person.id', '=', sql<string>`coalesce(entry.person_id, expense.person_id)`))
    .select([
      sql<number>`coalesce(credit.position, item.position)`.as('position'),
      'item.item_kind as itemKind',
      'item.item_id as itemId',
      sql<number | null>`item.amount_minor * ${sql.lit(credits ? -1 : 1)}`.as('amountMinor'),
      'item.hours',
      'person.id as personId',
      'person.name as personName',
      'entry.work_date as workDate',
      'entry.role_code as roleCode',
      'price.unit_price as unitPrice',
      'expense.spend_date as spendDate',
      'expense.category',
      'expense.country',
      'expense.amount_gross_minor as spentMinor',
      'expense.currency as spentCurrency',
    ])
    .where(credits ? 'item.credited_by' : 'item.invoice_id', '=', id)
    .orderBy(sql`coalesce(entry.work_date, expense.spend_date)`)
    .orderBy('item.item_id')
    .execute();
}

/**
 * The invoices that a document corrects: a credit or a rebill the one that it names; another credit note those of the fees of the months
 * that it gives money back for.
 */
async function correctedBy(
  db: Kysely<DB>,
  { id, corrects_id, document_kind }: Selectable<DB['invoice']>,
): Promise<DocumentFacts['corrects']> {
  if (corrects_id !== null) {
    const named = await db
      .selectFrom('invoice')
      .select(['number', 'reference', 'issue_date'])
      .where('id', '=', corrects_id)
      .executeTakeFirstOrThrow();
    return [{ number: named.number ?? '', reference: named.reference, issueDate: named.issue_date ?? '' }];
  }
  if (document_kind === 'invoice') return [];
  const { rows } = await sql<{ number: string; reference: string; issueDate: LocalDate }>`
    select theirs.number, theirs.reference, theirs.issue_date as "issueDate"
      from invoice as ours
      join invoice as theirs on theirs.contract_line_id = ours.contract_line_id and theirs.id <> ours.id
     where ours.id = ${id} and theirs.number is not null and theirs.document_kind = 'invoice'
       and exists (
         select from invoiced_item as item
          where item.invoice_id = theirs.id
            and item.item_kind = 'service-month'
            and (exists (select from invoiced_item as own where own.invoice_id = ours.id and own.item_id = item.item_id)
                         or theirs.period = ours.period
                            and not exists (select from invoiced_item as own
                                             where own.invoice_id = ours.id and own.item_kind = 'unearned-fee')))
     order by theirs.issue_date, theirs.number`.execute(db);
  return rows;
}
