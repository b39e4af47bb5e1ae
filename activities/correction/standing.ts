import { sql, type Transaction } from 'kysely';
import { lineOf } from '../../db/lines';
import { entityOf } from '../../db/parties';
import { type DB } from '../../db/types';
import { correctionReference, type CorrectionTerms } from '../../domain/billing/correction/correction';
import { type StandingDocument, type StandingItem, type StandingLine } from '../../domain/billing/correction/standing';
import { type CorrectionRequest } from '../../domain/billing/correction/choice';
import { type TaxCategory } from '../../domain/billing/tax';
import { termsInMonth } from '../../domain/engagement/dated-terms';
import { isViolation, type Violation } from '../../domain/violation';
import { type InvoiceRow } from '../invoice/view';
import { taxOf } from '../line/facts';

/** What stands on an issued invoice after the credits before: its lines less theirs, with the items that are not credited. */
export async function standingOf(trx: Transaction<DB>, invoice: InvoiceRow): Promise<StandingDocument> {
  const { rows: lines } = await sql<StandingLine & { items: undefined }>`
    select line.position, line.description, line.quantity::text as quantity, line.unit, line.unit_price::text as "unitPrice",
           line.person_id as "personId", line.role_code as "roleCode",
           line.amount_minor + coalesce(sum(off.amount_minor), 0)::bigint as "amountMinor",
           line.tax_minor + coalesce(sum(off.tax_minor), 0)::bigint as "taxMinor"
      from invoice_line as line
      left join (invoice_line as off join invoice as credit
                   on credit.id = off.invoice_id and credit.document_kind = 'credit-note' and credit.corrects_id = ${invoice.id})
        on off.corrects_position = line.position
     where line.invoice_id = ${invoice.id}
     group by line.invoice_id, line.position order by line.position`.execute(trx);
  const items = await itemsOf(trx, sql`item.invoice_id = ${invoice.id} and item.credited_by is null`);
  return documentOf(trx, invoice, lines, items);
}

/** What credits of an invoice kept back of it, as lines of a document. */
export async function heldOf(trx: Transaction<DB>, invoice: InvoiceRow): Promise<StandingDocument> {
  const { rows: lines } = await sql<StandingLine & { items: undefined }>`
    select line.position, line.description, case when bool_or(thing.invoiced_item_id is null) then line.quantity::text end as quantity,
           line.unit, line.unit_price::text as "unitPrice", line.person_id as "personId", line.role_code as "roleCode",
           sum(thing.amount_minor)::bigint as "amountMinor", 0 as "taxMinor"
      from credited_thing as thing join invoice_line as line on line.invoice_id = thing.invoice_id and line.position = thing.position
     where thing.invoice_id = ${invoice.id} and thing.fate = 'hold'
     group by line.invoice_id, line.position order by line.position`.execute(trx);
  const items = await itemsOf(
    trx,
    sql`item.invoice_id = ${invoice.id} and exists (
          select from credited_thing as thing where thing.invoice_id = item.invoice_id and thing.position = item.position and thing.fate = 'hold'
             and (thing.invoiced_item_id = item.id or thing.invoiced_item_id is null))`,
  );
  const discount = await discountLine(trx, invoice);
  return documentOf(trx, invoice, lines.length === 0 ? lines : [...lines, ...discount], items);
}

/** By which tax, rounding and names its documents are made. Refuses where the tax of the parties is not known. */
export async function termsOf(trx: Transaction<DB>, invoice: InvoiceRow): Promise<CorrectionTerms | Violation> {
  const { rounding } = await entityOf(trx, invoice.entity_id);
  const taxAnew = await taxOf(trx, await lineOf(trx, invoice.contract_line_id), invoice.issue_date ?? invoice.planned_issue_date);
  if (isViolation(taxAnew)) return taxAnew;
  const rootId = invoice.root_id ?? invoice.id;
  const root = await trx.selectFrom('invoice').select('reference').where('id', '=', rootId).executeTakeFirstOrThrow();
  const earlier = await trx.selectFrom('invoice').select('document_kind').where('root_id', '=', rootId).execute();
  const next = (kind: string): number => earlier.filter((each) => each.document_kind === kind).length + 1;
  return {
    taxOfInvoice: {
      category: invoice.tax_category as TaxCategory,
      ratePercent: invoice.tax_rate_percent,
      reasonCode: invoice.tax_reason_code,
      note: null,
    },
    taxAnew,
    rounding,
    creditReference: correctionReference(root.reference, 'CN', next('credit-note')),
    rebillReference: correctionReference(root.reference, 'R', next('invoice')),
  };
}

export function contentOf(trx: Transaction<DB>, invoice: InvoiceRow, kind: CorrectionRequest['kind']): Promise<StandingDocument> {
  return kind === 'release' ? heldOf(trx, invoice) : standingOf(trx, invoice);
}

type Read = Omit<StandingLine, 'items'>;
type ReadItem = StandingItem & { readonly position: number };

async function itemsOf(trx: Transaction<DB>, condition: ReturnType<typeof sql>): Promise<ReadItem[]> {
  const { rows } = await sql<Omit<ReadItem, 'names'> & { entryId: string | null; expenseId: string | null }>`
    select item.id, item.position, item.item_kind as "itemKind", item.item_id as "itemId", item.amount_minor as "amountMinor",
           item.hours::text as hours, item.entry_id as "entryId", item.expense_id as "expenseId"
      from invoiced_item as item where ${condition} order by item.position, item.item_id`.execute(trx);
  return rows.map(({ entryId, expenseId, ...item }) => {
    const own = item.itemId.slice(item.itemId.indexOf('/') + 1);
    return { ...item, names: [...new Set([own, ...(entryId === null ? [] : [entryId]), ...(expenseId === null ? [] : [expenseId])])] };
  });
}

async function documentOf(
  trx: Transaction<DB>,
  invoice: InvoiceRow,
  lines: readonly Read[],
  items: readonly ReadItem[],
): Promise<StandingDocument> {
  const { line_id: lineId, terms } = await lineOf(trx, invoice.contract_line_id);
  const own = termsInMonth(terms, invoice.period);
  return {
    kind: invoice.kind,
    lineId,
    period: invoice.period,
    reference: invoice.reference,
    currency: invoice.currency,
    lines: lines.map((line) => ({ ...line, items: items.filter((item) => item.position === line.position) })),
    feeDiscountPercent: own.engagementModel === 'time-and-materials' ? own.feeDiscountPercent : null,
  };
}

/** The line of an invoice that takes a discount off its fees, as it was made. */
async function discountLine(trx: Transaction<DB>, invoice: InvoiceRow): Promise<Read[]> {
  const { rows } = await sql<Read>`
    select position, description, null as quantity, null as unit, null as "unitPrice", null as "personId", null as "roleCode",
           amount_minor as "amountMinor", 0 as "taxMinor"
      from invoice_line as line
     where invoice_id = ${invoice.id} and amount_minor < 0
       and not exists (select from invoiced_item as item where item.invoice_id = line.invoice_id and item.position = line.position)`.execute(
    trx,
  );
  return rows;
}
