import { sql, type Kysely, type Selectable } from 'kysely';
import { type Scope } from '../../domain/access';
import { inEntities } from '../entity-scope';
import { type DB } from '../types';
import { amount } from './amount';
import { keyAt, type Page, pageOf, type PageRequest } from './page';

export interface InvoiceSummary {
  readonly id: string;
  readonly dealId: string;
  readonly contractLineId: string;
  readonly lineId: string;
  readonly reference: string;
  readonly number: string | null;
  readonly documentKind: 'invoice' | 'credit-note';
  readonly kind: string;
  readonly state: 'draft' | 'approved' | 'issued' | 'settled' | 'credited' | 'void';
  readonly period: string;
  readonly entityId: string;
  readonly billToId: string;
  readonly currency: string;
  readonly plannedIssueDate: string;
  readonly issueDate: string | null;
  readonly dueDate: string | null;
  readonly taxCategory: 'S' | 'O' | 'AE';
  readonly net: string;
  readonly tax: string;
  readonly total: string;
  readonly open: string;
  readonly createdAt: string;
  readonly settledAt: string | null;
}

export interface InvoiceFilter {
  readonly dealId?: string | undefined;
  readonly contractLineId?: string | undefined;
  readonly state?: string | undefined;
}

export type InvoiceRow = Selectable<DB['invoice']> & { readonly line_id: string };

/** Invoices and credit notes of the reader's entities, the last drafted first. */
export async function listInvoices(db: Kysely<DB>, scope: Scope, filter: InvoiceFilter, page: PageRequest): Promise<Page<InvoiceSummary>> {
  let query = visibleInvoices(db, scope);
  if (filter.dealId !== undefined) query = query.where('invoice.deal_id', '=', filter.dealId);
  if (filter.contractLineId !== undefined) query = query.where('invoice.contract_line_id', '=', filter.contractLineId);
  if (filter.state !== undefined) query = query.where('invoice.state', '=', filter.state);
  if (page.after)
    query = query.where(sql<boolean>`(invoice.created_at, invoice.id) < (${keyAt(page, 0)}::timestamptz, ${keyAt(page, 1)}::uuid)`);
  const rows = await query
    .orderBy('invoice.created_at', 'desc')
    .orderBy('invoice.id', 'desc')
    .limit(page.limit + 1)
    .execute();
  return pageOf(rows, page, (row) => [row.created_at, row.id], invoiceSummary);
}

/** The row of one invoice in the reader's scope. */
export async function visibleInvoice(db: Kysely<DB>, scope: Scope, invoiceId: string): Promise<InvoiceRow | undefined> {
  return visibleInvoices(db, scope).where('invoice.id', '=', invoiceId).executeTakeFirst();
}

/** An invoice belongs to the entity that issues it. */
function visibleInvoices(db: Kysely<DB>, scope: Scope) {
  return db
    .selectFrom('invoice')
    .innerJoin('contract_line as line', 'line.id', 'invoice.contract_line_id')
    .selectAll('invoice')
    .select('line.line_id')
    .where(inEntities(scope, sql`array[invoice.entity_id]`));
}

export function invoiceSummary(row: InvoiceRow): InvoiceSummary {
  const { currency } = row;
  return {
    id: row.id,
    dealId: row.deal_id,
    contractLineId: row.contract_line_id,
    lineId: row.line_id,
    reference: row.reference,
    number: row.number,
    documentKind: row.document_kind as InvoiceSummary['documentKind'],
    kind: row.kind,
    state: row.state as InvoiceSummary['state'],
    period: row.period,
    entityId: row.entity_id,
    billToId: row.bill_to_id,
    currency,
    plannedIssueDate: row.planned_issue_date,
    issueDate: row.issue_date,
    dueDate: row.due_date,
    taxCategory: row.tax_category as InvoiceSummary['taxCategory'],
    net: amount(row.net_minor, currency),
    tax: amount(row.tax_minor, currency),
    total: amount(row.total_minor, currency),
    open: amount(row.open_minor, currency),
    createdAt: row.created_at,
    settledAt: row.settled_at,
  };
}
