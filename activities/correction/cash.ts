import { type Transaction } from 'kysely';
import { uuidv7 } from 'uuidv7';
import { BOOK, dimensionsOf, postEntry } from '../../db/journal';
import { type DB } from '../../db/types';
import { cashMoved } from '../../domain/accounting/entries';
import { moveCash, type MovedCash, type StandingCash } from '../../domain/collections/moved-cash';
import { type InvoiceRow } from '../invoice/view';

interface Move {
  /** The invoice that is corrected, and the one that its money pays from now on: its rebill, itself, or none. */
  readonly from: InvoiceRow;
  readonly toId: string | null;
  /** What that one is about, tax included. */
  readonly dueMinor: number;
  readonly correctionId: string;
  readonly on: string;
}

/** Takes the money that stands on an invoice along with its correction; gives what of it pays on. */
export async function takeCashAlong(trx: Transaction<DB>, move: Move): Promise<number> {
  const standing = await standingCash(trx, move.from.id);
  const moved = moveCash(standing, move.dueMinor);
  for (const cash of moved) if (move.toId !== move.from.id || cash.freedMinor > 0) await moveOne(trx, move, cash);
  const freed = moved.filter((cash) => cash.freedMinor > 0);
  for (const paymentId of new Set(freed.map((cash) => cash.paymentId))) await free(trx, move, paymentId, freed);
  return moved.reduce((total, cash) => total + cash.paysMinor, 0);
}

/** The payments are locked: a return of one of them comes before or after. */
async function standingCash(trx: Transaction<DB>, invoiceId: string): Promise<StandingCash[]> {
  const paid = trx.selectFrom('payment_application').select('payment_id').where('invoice_id', '=', invoiceId);
  await trx.selectFrom('payment').select('id').where('id', 'in', paid).orderBy('id').forUpdate().execute();
  const rows = await trx
    .selectFrom('payment_application')
    .selectAll()
    .where('invoice_id', '=', invoiceId)
    .where('reversed_on', 'is', null)
    .where('moved_on', 'is', null)
    .execute();
  return rows.map((row) => ({
    applicationId: row.id,
    paymentId: row.payment_id,
    kind: row.kind as StandingCash['kind'],
    amountMinor: row.amount_minor,
    appliedOn: row.applied_on,
  }));
}

/** The application ends here and goes on there, with the day on which it was paid. */
async function moveOne(trx: Transaction<DB>, { toId, correctionId, on }: Move, cash: MovedCash): Promise<void> {
  await trx.updateTable('payment_application').set({ moved_on: on, moved_by: correctionId }).where('id', '=', cash.applicationId).execute();
  if (toId === null || cash.paysMinor === 0) return;
  await trx
    .insertInto('payment_application')
    .values({
      id: uuidv7(),
      payment_id: cash.paymentId,
      invoice_id: toId,
      kind: cash.kind,
      amount_minor: cash.paysMinor,
      applied_on: cash.appliedOn,
      moved_from: cash.applicationId,
      moved_in_on: on,
    })
    .execute();
}

/** What was paid too much goes on account, what was given up too much is not given up any more. */
async function free(trx: Transaction<DB>, move: Move, paymentId: string, freed: readonly MovedCash[]): Promise<void> {
  const { from, correctionId, on } = move;
  const of = (kind: StandingCash['kind']): number =>
    freed.filter((cash) => cash.paymentId === paymentId && cash.kind === kind).reduce((total, cash) => total + cash.freedMinor, 0);
  const [excessMinor, toleranceMinor] = [of('applied'), of('tolerance')];
  if (excessMinor > 0) {
    await trx
      .updateTable('payment')
      .set((eb) => ({ on_account_minor: eb('on_account_minor', '+', excessMinor) }))
      .where('id', '=', paymentId)
      .execute();
    const excess = { payment_id: paymentId, correction_id: correctionId, amount_minor: excessMinor, moved_on: on };
    await trx.insertInto('payment_excess').values(excess).execute();
  }
  await postEntry(
    trx,
    cashMoved({
      book: BOOK,
      entityId: from.entity_id,
      date: on,
      currency: from.currency,
      paymentId,
      correctionId,
      excessMinor,
      toleranceMinor,
      dimensions: await dimensionsOf(trx, from.contract_line_id),
    }),
  );
}
