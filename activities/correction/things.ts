import { sql, type Transaction } from 'kysely';
import { insertRows } from '../../db/insert-rows';
import { type DB } from '../../db/types';
import { type Correction } from '../../domain/billing/correction/correction';
import { type InvoiceRow } from '../invoice/view';
import { type CorrectionRow } from './view';

/** Writes down what becomes of each thing, and sets free the items that a credit takes off the invoice (I-05); a release decides what is held. */
export async function markThings(
  trx: Transaction<DB>,
  invoice: InvoiceRow,
  row: CorrectionRow,
  { things }: Correction,
  creditId: string | null,
): Promise<void> {
  if (creditId === null) return release(trx, invoice, row, things);
  const items = await trx
    .selectFrom('invoiced_item')
    .select(['id', 'position', 'entry_id', 'expense_id'])
    .where('invoice_id', '=', invoice.id)
    .where('credited_by', 'is', null)
    .execute();
  const byId = new Map(items.map((item) => [item.id, item]));
  const rows = things.map((thing, ordinal) => ({
    correction_id: row.id,
    ordinal,
    invoice_id: invoice.id,
    position: thing.position,
    invoiced_item_id: thing.item?.id ?? null,
    fate: thing.fate,
    entry_id: byId.get(thing.item?.id ?? '')?.entry_id ?? null,
    expense_id: byId.get(thing.item?.id ?? '')?.expense_id ?? null,
    amount_minor: thing.amountMinor,
    hours: thing.item?.hours ?? null,
  }));
  await insertRows(trx, 'credited_thing', rows);
  const whole = new Set(things.filter((thing) => thing.whole).map((thing) => thing.position));
  const named = new Set(things.flatMap((thing) => thing.item?.id ?? []));
  const credited = items.filter((item) => whole.has(item.position) || named.has(item.id)).map((item) => item.id);
  await sql`update invoiced_item set credited_by = ${creditId} where id = any(${credited}::uuid[])`.execute(trx);
}

/** What was kept back is billed on a document of its own or given up; what is still kept back stays so. */
async function release(trx: Transaction<DB>, invoice: InvoiceRow, row: CorrectionRow, things: Correction['things']): Promise<void> {
  for (const { position, item, fate } of things.filter((thing) => thing.fate !== 'hold'))
    await trx
      .updateTable('credited_thing')
      .set({ fate, released_by: row.id })
      .where('invoice_id', '=', invoice.id)
      .where('position', '=', position)
      .where('fate', '=', 'hold')
      .where('invoiced_item_id', item === null ? 'is' : '=', item?.id ?? null)
      .execute();
}

/** Dunning goes on where it stood, and promises hold for what replaces the invoice; without that there is nothing left to hold. */
export async function takeCollectionAlong(trx: Transaction<DB>, invoiceId: string, rebillId: string | null, at: string): Promise<void> {
  const holds = trx.updateTable('collection_hold').where('invoice_id', '=', invoiceId).where('lifted_at', 'is', null);
  if (rebillId === null) {
    await holds.set({ lifted_at: at }).execute();
    return;
  }
  await holds.set({ invoice_id: rebillId }).execute();
  await sql`
    insert into dunning_step (invoice_id, level, name, reached_at, open_minor, held_by)
    select ${rebillId}, level, name, reached_at, open_minor, held_by from dunning_step where invoice_id = ${invoiceId}`.execute(trx);
}
