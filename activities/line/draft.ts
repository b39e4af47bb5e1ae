import { sql, type Transaction } from 'kysely';
import { uuidv7 } from 'uuidv7';
import { hashOf } from '../../db/hash';
import { insertRows } from '../../db/insert-rows';
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
  const items: (BilledItem & { readonly position: number })[] = [];
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
        person_id: each.personId ?? null,
        role_code: each.roleCode ?? null,
      })
      .execute();
    items.push(...itemsOf(each).map((billed) => ({ ...billed, position })));
  }
  await storeItems(trx, line, invoiceId, items);
  await trx
    .updateTable('billing_plan_item')
    .set({ state: 'billed', blocked_until: null, blockers: '[]', settled_at: at })
    .where('id', '=', item.id)
    .execute();
  return invoiceId;
}

/** What each document line bills, by entry and part or expense where it is one (I-05). */
async function storeItems(
  trx: Transaction<DB>,
  line: LineRow,
  invoiceId: string,
  items: readonly (BilledItem & { readonly position: number })[],
): Promise<void> {
  const entryIds = await knownEntries(trx, line, items);
  const rows = items.map(({ position, itemKind, itemId, amountMinor, hours }) => ({
    id: uuidv7(),
    invoice_id: invoiceId,
    position,
    item_kind: itemKind,
    item_id: `${line.id}/${itemId}`,
    amount_minor: amountMinor,
    hours,
    ...(itemKind === 'time-entry' ? entryPart(itemId, entryIds) : { entry_id: null, part: null }),
    expense_id: itemKind === 'expense' ? itemId : null,
  }));
  await insertRows(trx, 'invoiced_item', rows);
}

async function knownEntries(trx: Transaction<DB>, line: LineRow, items: readonly BilledItem[]): Promise<ReadonlySet<string>> {
  const named = items.filter(({ itemKind }) => itemKind === 'time-entry').flatMap(({ itemId }) => [itemId, itemId.replace(/\/\d+$/, '')]);
  const { rows } = await sql<{ entryId: string }>`
    select entry_id as "entryId" from time_entry where contract_line_id = ${line.id} and entry_id = any(${named}::text[])`.execute(trx);
  return new Set(rows.map((row) => row.entryId));
}

/** The entry that an item id names, and which part of it: the reverse of `partItemId`. */
function entryPart(itemId: string, known: ReadonlySet<string>): { entry_id: string; part: number } {
  const [, entryId, part] = /^(.+)\/(\d+)$/.exec(itemId) ?? [];
  const isWhole = known.has(itemId) || entryId === undefined || part === undefined;
  return isWhole ? { entry_id: itemId, part: 1 } : { entry_id: entryId, part: Number(part) };
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
