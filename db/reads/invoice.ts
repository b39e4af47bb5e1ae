import { type Kysely } from 'kysely';
import { type Scope } from '../../domain/access';
import { type DB } from '../types';
import { amount, amountOrNull } from './amount';
import { readCorrections, type CorrectionsOfInvoice } from './corrections';
import { invoiceSummary, type InvoiceSummary, visibleInvoice } from './invoices';

export interface InvoiceDetail extends InvoiceSummary, CorrectionsOfInvoice {
  readonly contractVersion: number;
  readonly purchaseOrder: string | null;
  readonly taxRatePercent: string;
  readonly taxReasonCode: string | null;
  readonly lines: readonly {
    readonly position: number;
    readonly description: string;
    readonly quantity: string | null;
    readonly unit: string | null;
    readonly unitPrice: string | null;
    readonly amount: string;
    readonly tax: string;
    readonly items: readonly { readonly itemKind: string; readonly itemId: string; readonly creditedBy: string | null }[];
  }[];
  readonly applications: readonly {
    readonly applicationId: string;
    readonly paymentId: string;
    readonly kind: 'applied' | 'tolerance';
    readonly amount: string;
    readonly appliedOn: string;
    readonly reversedOn: string | null;
  }[];
  readonly dunning: readonly {
    readonly level: number;
    readonly name: string;
    readonly reachedAt: string;
    readonly open: string;
    readonly heldBy: string | null;
  }[];
  /** `reason` is null once its words were erased. */
  readonly holds: readonly {
    readonly holdId: string;
    readonly kind: string;
    readonly amount: string | null;
    readonly reason: string | null;
    readonly from: string;
    readonly until: string | null;
    readonly recordedBy: string;
    readonly liftedAt: string | null;
  }[];
}

/** One invoice with what is billed, paid, dunned and held; undefined where the reader has none of this id. */
export async function readInvoice(db: Kysely<DB>, scope: Scope, invoiceId: string): Promise<InvoiceDetail | undefined> {
  const row = await visibleInvoice(db, scope, invoiceId);
  if (row === undefined) return undefined;
  const lines = await db.selectFrom('invoice_line').selectAll().where('invoice_id', '=', invoiceId).orderBy('position').execute();
  const items = await db.selectFrom('invoiced_item').selectAll().where('invoice_id', '=', invoiceId).orderBy('item_id').execute();
  const applications = await db
    .selectFrom('payment_application')
    .selectAll()
    .where('invoice_id', '=', invoiceId)
    .orderBy('applied_on')
    .orderBy('id')
    .execute();
  const dunning = await db.selectFrom('dunning_step').selectAll().where('invoice_id', '=', invoiceId).orderBy('level').execute();
  const holds = await db
    .selectFrom('collection_hold as hold')
    .innerJoin('free_text as words', 'words.id', 'hold.reason_id')
    .selectAll('hold')
    .select('words.body as reason')
    .where('hold.invoice_id', '=', invoiceId)
    .orderBy('hold.from_moment')
    .execute();
  const { currency } = row;
  return {
    ...invoiceSummary(row),
    ...(await readCorrections(db, row)),
    contractVersion: row.contract_version,
    purchaseOrder: row.purchase_order,
    taxRatePercent: row.tax_rate_percent,
    taxReasonCode: row.tax_reason_code,
    lines: lines.map((line) => ({
      position: line.position,
      description: line.description,
      quantity: line.quantity,
      unit: line.unit,
      unitPrice: line.unit_price,
      amount: amount(line.amount_minor, currency),
      tax: amount(line.tax_minor, currency),
      items: items
        .filter((item) => item.position === line.position)
        .map((item) => ({ itemKind: item.item_kind, itemId: item.item_id, creditedBy: item.credited_by })),
    })),
    applications: applications.map((each) => ({
      applicationId: each.id,
      paymentId: each.payment_id,
      kind: each.kind as 'applied' | 'tolerance',
      amount: amount(each.amount_minor, currency),
      appliedOn: each.applied_on,
      reversedOn: each.reversed_on,
    })),
    dunning: dunning.map((step) => ({
      level: step.level,
      name: step.name,
      reachedAt: step.reached_at,
      open: amount(step.open_minor, currency),
      heldBy: step.held_by,
    })),
    holds: holds.map((hold) => ({
      holdId: hold.id,
      kind: hold.kind,
      amount: amountOrNull(hold.amount_minor, currency),
      reason: hold.reason,
      from: hold.from_moment,
      until: hold.until_moment,
      recordedBy: hold.recorded_by,
      liftedAt: hold.lifted_at,
    })),
  };
}
