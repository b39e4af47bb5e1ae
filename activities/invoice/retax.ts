import { type Transaction } from 'kysely';
import { hashOf } from '../../db/hash';
import { lineOf } from '../../db/lines';
import { entityOf } from '../../db/parties';
import { type DB } from '../../db/types';
import { type DocumentKind, type InvoiceDraft } from '../../domain/billing/invoice';
import { retaxed, type DocumentTax } from '../../domain/billing/retax';
import { type LocalDate } from '../../domain/deal/terms';
import { isViolation, type Violation } from '../../domain/violation';
import { taxOf } from '../line/facts';
import { updateInvoice, type InvoiceChange, type InvoiceRow } from './view';

/**
 * A document whose day of issue has moved carries the tax of that day: where the tax is another, the draft is computed anew and
 * goes back to its approval, so that what is issued is what was shown. Null where it stays as it was approved.
 */
export async function sentBackForTax(
  trx: Transaction<DB>,
  invoice: InvoiceRow,
  issueDate: LocalDate,
): Promise<InvoiceChange | null | Violation> {
  if (issueDate === invoice.planned_issue_date) return null;
  const tax = await taxOf(trx, await lineOf(trx, invoice.contract_line_id), issueDate);
  if (isViolation(tax)) return tax;
  const { rounding } = await entityOf(trx, invoice.entity_id);
  const document = retaxed(await draftOf(trx, invoice), taxIn(invoice), tax, rounding);
  if (document === null || isViolation(document)) return document;
  for (const [position, { taxMinor }] of document.lines.entries())
    await trx
      .updateTable('invoice_line')
      .set({ tax_minor: taxMinor })
      .where('invoice_id', '=', invoice.id)
      .where('position', '=', position)
      .execute();
  const changed = await updateInvoice(trx, invoice, {
    state: 'draft',
    planned_issue_date: issueDate,
    tax_category: document.taxCategory,
    tax_rate_percent: document.taxRatePercent,
    tax_reason_code: document.taxReasonCode,
    tax_minor: document.taxMinor,
    total_minor: document.totalMinor,
    open_minor: document.documentKind === 'invoice' ? document.totalMinor : 0,
    content_hash: hashOf({ ...document, replaces: invoice.content_hash }),
  });
  const details = { issueDate, before: taxIn(invoice), after: taxIn(changed), total: changed.total_minor };
  return { invoice: changed, waits: [], action: 'invoice.sent-back', details };
}

function taxIn(invoice: InvoiceRow): DocumentTax {
  const { tax_category: taxCategory, tax_rate_percent: taxRatePercent, tax_reason_code: taxReasonCode } = invoice;
  return { taxCategory: taxCategory as DocumentTax['taxCategory'], taxRatePercent, taxReasonCode };
}

async function draftOf(trx: Transaction<DB>, invoice: InvoiceRow): Promise<InvoiceDraft> {
  const lines = await trx.selectFrom('invoice_line').selectAll().where('invoice_id', '=', invoice.id).orderBy('position').execute();
  return {
    documentKind: invoice.document_kind as DocumentKind,
    kind: invoice.kind,
    lineId: invoice.contract_line_id,
    period: invoice.period,
    reference: invoice.reference,
    currency: invoice.currency,
    lines: lines.map((line) => ({
      description: line.description,
      quantity: line.quantity,
      unit: line.unit,
      unitPrice: line.unit_price,
      amountMinor: line.amount_minor,
    })),
  };
}
