import { sql, type Transaction } from 'kysely';
import { uuidv7 } from 'uuidv7';
import { composeDocument } from '../../documents/compose';
import { documentFacts } from '../../db/document-facts';
import { hashOf } from '../../db/hash';
import { insertRows } from '../../db/insert-rows';
import { keepDocument } from '../../db/invoice-documents';
import { BOOK, dimensionsOf, postEntry } from '../../db/journal';
import { nextNumber } from '../../db/number-series';
import { type DB } from '../../db/types';
import { creditNoteIssued, invoiceIssued } from '../../domain/accounting/entries';
import { type CorrectingDocument } from '../../domain/billing/correction/correction';
import { type LocalDate } from '../../domain/deal/terms';
import { isViolation, type Violation } from '../../domain/violation';
import { updateInvoice, type InvoiceRow } from '../invoice/view';

/** Keeps a document that corrects an invoice, with its lines, before it has a number. */
export async function storeDocument(
  trx: Transaction<DB>,
  original: InvoiceRow,
  { document, about }: CorrectingDocument,
  { correctionId, on, at }: { readonly correctionId: string; readonly on: LocalDate; readonly at: string },
): Promise<InvoiceRow> {
  const isCredit = document.documentKind === 'credit-note';
  const stored = await trx
    .insertInto('invoice')
    .values({
      id: uuidv7(),
      deal_id: original.deal_id,
      contract_line_id: original.contract_line_id,
      billing_plan_item_id: isCredit ? null : original.billing_plan_item_id,
      contract_version: original.contract_version,
      document_kind: document.documentKind,
      kind: document.kind,
      reference: document.reference,
      state: 'approved',
      period: original.period,
      entity_id: original.entity_id,
      bill_to_id: original.bill_to_id,
      currency: original.currency,
      planned_issue_date: on,
      purchase_order: original.purchase_order,
      tax_category: document.taxCategory,
      tax_rate_percent: document.taxRatePercent,
      tax_reason_code: document.taxReasonCode,
      net_minor: document.netMinor,
      tax_minor: document.taxMinor,
      total_minor: document.totalMinor,
      open_minor: isCredit ? 0 : document.totalMinor,
      content_hash: hashOf({ ...document, corrects: original.content_hash }),
      corrects_id: original.id,
      root_id: original.root_id ?? original.id,
      correction_id: correctionId,
      created_at: at,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  const lines = await trx.selectFrom('invoice_line').select(['position', 'rate_id']).where('invoice_id', '=', original.id).execute();
  const rows = document.lines.map((line, position) => ({
    invoice_id: stored.id,
    position,
    description: line.description,
    quantity: line.quantity,
    unit: line.unit,
    unit_price: line.unitPrice,
    amount_minor: line.amountMinor,
    tax_minor: line.taxMinor,
    person_id: line.personId ?? null,
    role_code: line.roleCode ?? null,
    rate_id: lines.find((each) => each.position === about[position]?.position)?.rate_id ?? null,
    corrects_position: isCredit ? (about[position]?.position ?? null) : null,
  }));
  await insertRows(trx, 'invoice_line', rows);
  return stored;
}

/** The items of a rebill stand on it from now on: their credit set them free, and the unique index lets each stand once (I-05). */
export async function storeItems(trx: Transaction<DB>, rebillId: string, about: CorrectingDocument['about']): Promise<void> {
  for (const [position, { items }] of about.entries()) {
    const ids = items.map((item) => item.id);
    await sql`
      insert into invoiced_item (id, invoice_id, position, item_kind, item_id, amount_minor, hours, entry_id, part, expense_id)
      select gen_random_uuid(), ${rebillId}, ${position}, item_kind, item_id, amount_minor, hours, entry_id, part, expense_id
        from invoiced_item where id = any(${ids}::uuid[])`.execute(trx);
  }
}

/** Number, printed document, and posting of a document of a correction, which is then issued (R-213, R-052, D15). */
export async function issueDocument(
  trx: Transaction<DB>,
  document: InvoiceRow,
  { on, at, dueOn }: { readonly on: LocalDate; readonly at: string; readonly dueOn: (date: LocalDate) => LocalDate },
): Promise<InvoiceRow | Violation> {
  const isCredit = document.document_kind === 'credit-note';
  const facts = await documentFacts(trx, document, on);
  const { number, date } = await nextNumber(trx, document.entity_id, isCredit ? 'CN' : 'INV', on);
  const due = dueOn(date);
  const printed = composeDocument(facts, { number, issueDate: date, dueDate: due, issuedAt: at });
  if (isViolation(printed)) return printed;
  await keepDocument(trx, document.id, printed, at);
  const posted = {
    book: BOOK,
    entityId: document.entity_id,
    date,
    currency: document.currency,
    invoiceId: document.id,
    reference: document.reference,
    netMinor: document.net_minor,
    taxMinor: document.tax_minor,
    dimensions: await dimensionsOf(trx, document.contract_line_id),
  };
  await postEntry(trx, isCredit ? creditNoteIssued(posted) : invoiceIssued(posted));
  const values = { number, issue_date: date, due_date: due };
  return updateInvoice(trx, document, isCredit ? { ...values, state: 'settled', settled_at: at } : { ...values, state: 'issued' });
}
