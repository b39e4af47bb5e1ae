import { type Transaction } from 'kysely';
import { uuidv7 } from 'uuidv7';
import { hashOf } from '../../db/hash';
import { type LineRow, type PlanItemRow } from '../../db/lines';
import { type DB } from '../../db/types';
import { type CompletedInvoice, type CompletedInvoiceLine } from '../../domain/billing/invoice';

/** Keeps the draft of a plan item with its lines and what each of them bills; the unique index refuses an item billed before (I-05). */
export async function storeDraft(
  trx: Transaction<DB>,
  line: LineRow,
  item: PlanItemRow,
  document: CompletedInvoice,
  { issueDate, purchaseOrder, at }: { issueDate: string; purchaseOrder: string | null; at: string },
): Promise<string> {
  const invoiceId = uuidv7();
  await trx
    .insertInto('invoice')
    .values({
      id: invoiceId,
      deal_id: line.deal_id,
      contract_line_id: line.id,
      billing_plan_item_id: item.id,
      contract_version: line.contract_version,
      document_kind: document.documentKind,
      kind: document.kind,
      reference: document.reference,
      state: 'draft',
      period: document.period,
      entity_id: line.selling_entity_id,
      bill_to_id: line.bill_to_id,
      currency: document.currency,
      planned_issue_date: issueDate,
      purchase_order: purchaseOrder,
      tax_category: document.taxCategory,
      tax_rate_percent: document.taxRatePercent,
      tax_reason_code: document.taxReasonCode,
      net_minor: document.netMinor,
      tax_minor: document.taxMinor,
      total_minor: document.totalMinor,
      open_minor: document.documentKind === 'invoice' ? document.totalMinor : 0,
      content_hash: hashOf({ ...document, billToId: line.bill_to_id, entityId: line.selling_entity_id, purchaseOrder }),
      created_at: at,
    })
    .execute();
  for (const [position, each] of document.lines.entries()) {
    await trx
      .insertInto('invoice_line')
      .values({
        invoice_id: invoiceId,
        position,
        description: each.description,
        quantity: each.quantity,
        unit: each.unit,
        unit_price: each.unitPrice,
        amount_minor: each.amountMinor,
        tax_minor: each.taxMinor,
      })
      .execute();
    const items = itemsOf(each).map((billed) => ({
      id: uuidv7(),
      invoice_id: invoiceId,
      position,
      item_kind: billed.itemKind,
      item_id: `${line.id}/${billed.itemId}`,
      amount_minor: billed.amountMinor,
      hours: billed.hours,
    }));
    if (items.length > 0) await trx.insertInto('invoiced_item').values(items).execute();
  }
  await trx
    .updateTable('billing_plan_item')
    .set({ state: 'billed', blocked_until: null, blockers: '[]', settled_at: at })
    .where('id', '=', item.id)
    .execute();
  return invoiceId;
}

interface BilledItem {
  readonly itemKind: string;
  readonly itemId: string;
  readonly amountMinor: number | null;
  readonly hours: string | null;
}

/** Kinds that are never billed in parts name their items only. */
function itemsOf({ itemKind, itemIds = [], items }: CompletedInvoiceLine): BilledItem[] {
  if (itemKind === undefined) return [];
  return items?.map((item) => ({ itemKind, ...item })) ?? itemIds.map((itemId) => ({ itemKind, itemId, amountMinor: null, hours: null }));
}
