import { type Selectable } from 'kysely';
import { type DB } from '../db/types';
import { formatMoney, money } from '../domain/money';

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

export function invoiceFigure(row: Selectable<DB['invoice']> & { readonly line_id: string }): InvoiceFigure {
  return {
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
  };
}

/** Minor units as a decimal string with the currency's digits. */
export function amount(minor: number | string | bigint, currency: string): string {
  return formatMoney(money(Number(minor), currency));
}
