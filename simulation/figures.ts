import { type Kysely } from 'kysely';
import { type DB } from '../db/types';
import { formatMoney, money } from '../domain/money';
import { billingFigures, type BillingFigures } from './billing-figures';
import { bookFigures, type BookFigures } from './books-figures';

/** A document as the figures of a deal state it: decimal strings, credit notes negative (reference deal, part 3). */
export interface InvoiceFigure {
  readonly reference: string;
  readonly kind: 'invoice' | 'credit-note';
  readonly lineId: string;
  readonly period: string;
  readonly entity: string;
  readonly billTo: string;
  readonly currency: string;
  readonly issueDate: string;
  readonly dueDate: string;
  readonly net: string;
  readonly taxCategory: string;
  readonly tax: string;
  readonly total: string;
}

export interface Figures extends BookFigures, BillingFigures {
  readonly invoices: readonly InvoiceFigure[];
}

/** Every issued document of a deal, by issue date, then reference; and what the books say, at the days of `statements` too. */
export async function figuresOf(db: Kysely<DB>, dealId: string, statements: readonly string[] = []): Promise<Figures> {
  const rows = await db
    .selectFrom('invoice')
    .innerJoin('contract_line', 'contract_line.id', 'invoice.contract_line_id')
    .selectAll('invoice')
    .select('contract_line.line_id')
    .where('invoice.deal_id', '=', dealId)
    .where('invoice.state', 'in', ['issued', 'settled'])
    .orderBy('invoice.issue_date')
    .orderBy('invoice.reference')
    .execute();
  return {
    ...(await bookFigures(db, dealId, statements)),
    ...(await billingFigures(db, dealId)),
    invoices: rows.map((row) => ({
      reference: row.reference,
      kind: row.document_kind === 'credit-note' ? 'credit-note' : 'invoice',
      lineId: row.line_id,
      period: row.period,
      entity: row.entity_id,
      billTo: row.bill_to_id,
      currency: row.currency,
      issueDate: row.issue_date ?? '',
      dueDate: row.due_date ?? '',
      net: amount(row.net_minor, row.currency),
      taxCategory: row.tax_category,
      tax: amount(row.tax_minor, row.currency),
      total: amount(row.total_minor, row.currency),
    })),
  };
}

/** Minor units as a decimal string with the currency's digits. */
export function amount(minor: number | string | bigint, currency: string): string {
  return formatMoney(money(Number(minor), currency));
}
