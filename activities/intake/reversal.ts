import { type Transaction } from 'kysely';
import { uuidv7 } from 'uuidv7';
import { BOOK, entryByKey, postEntry } from '../../db/journal';
import { type DB } from '../../db/types';
import { paymentReversed } from '../../domain/accounting/entries';
import { reversePayment, type AppliedPayment } from '../../domain/collections/reversal';
import { isViolation } from '../../domain/violation';
import { type BankTransaction } from '../../integrations/bank/statement';
import { type TouchedInvoices } from './bank-entry';
import { type PaymentPlace } from './payment';

/** The bank takes a credit back: its invoices are open again as if it had never been (R-074, S-32). What fits no payment is a person's task. */
export async function reverseCredit(
  trx: Transaction<DB>,
  place: PaymentPlace,
  bookedOn: string,
  transaction: BankTransaction,
  touched: TouchedInvoices,
): Promise<void> {
  const { statementId } = place;
  const reversed = reversePayment(await paymentsOf(trx, place.entityId, transaction.endToEndId ?? ''), {
    endToEndId: transaction.endToEndId ?? '',
    amount: transaction.amount,
  });
  if (isViolation(reversed)) {
    if (await isOurs(trx, transaction)) await openTask(trx, place, `${reversed.violation}: ${reversed.detail}`);
    return;
  }
  const { paymentId } = reversed;
  await trx.updateTable('payment').set({ reversed_on: bookedOn, reversed_by: statementId }).where('id', '=', paymentId).execute();
  await trx
    .updateTable('payment_application')
    .set({ reversed_on: bookedOn })
    .where('payment_id', '=', paymentId)
    .where('moved_on', 'is', null)
    .execute();
  for (const { invoiceId, amountMinor } of reversed.reopened) {
    const before = await trx.selectFrom('invoice').selectAll().where('id', '=', invoiceId).forUpdate().executeTakeFirstOrThrow();
    const wasSettled = before.state === 'settled';
    await trx
      .updateTable('invoice')
      .set({
        open_minor: before.open_minor + amountMinor,
        revision: before.revision + 1,
        ...(wasSettled ? { state: 'issued', settled_at: null } : {}),
      })
      .where('id', '=', invoiceId)
      .execute();
    touched.set(invoiceId, { invoiceId, dealId: before.deal_id, contractLineId: before.contract_line_id, wasSettled });
  }
  const keys = await trx
    .selectFrom('journal_entry')
    .select('entry_key')
    .where('entry_key', 'in', await keysOf(trx, paymentId))
    .orderBy('entry_key')
    .execute();
  const entries = [];
  for (const { entry_key: key } of keys) entries.push(await entryByKey(trx, key));
  await postEntry(trx, paymentReversed({ paymentId, date: bookedOn, entries }));
}

/** Everything that was posted of a payment: also what corrections made of it when they took it along. */
async function keysOf(trx: Transaction<DB>, paymentId: string): Promise<string[]> {
  const stood = await trx
    .selectFrom('payment_application')
    .select(['invoice_id', 'moved_by'])
    .where('payment_id', '=', paymentId)
    .execute();
  const invoiceIds = new Set(stood.map((each) => each.invoice_id));
  const correctionIds = new Set(stood.flatMap((each) => each.moved_by ?? []));
  return [
    `payment-received/${paymentId}/${BOOK}`,
    ...[...invoiceIds].map((invoiceId) => `tolerance-written-off/${paymentId}/${invoiceId}/${BOOK}`),
    ...[...correctionIds].map((correctionId) => `cash-moved/${paymentId}/${correctionId}/${BOOK}`),
  ];
}

async function paymentsOf(trx: Transaction<DB>, entityId: string, endToEndId: string): Promise<AppliedPayment[]> {
  const rows = await trx
    .selectFrom('payment')
    .selectAll()
    .where('entity_id', '=', entityId)
    .where('end_to_end_id', '=', endToEndId)
    .orderBy('booked_on')
    .orderBy('id')
    .forUpdate()
    .execute();
  const payments: AppliedPayment[] = [];
  for (const row of rows) {
    const applied = await trx
      .selectFrom('payment_application')
      .selectAll()
      .where('payment_id', '=', row.id)
      .where('moved_on', 'is', null)
      .execute();
    const ofKind = (kind: string) =>
      applied.filter((each) => each.kind === kind).map((each) => ({ invoiceId: each.invoice_id, amountMinor: each.amount_minor }));
    payments.push({
      paymentId: row.id,
      endToEndId: row.end_to_end_id,
      amount: { minor: row.amount_minor, currency: row.currency },
      reversed: row.reversed_on !== null,
      billToId: row.bill_to_id,
      applications: ofKind('applied'),
      tolerance: ofKind('tolerance'),
      onAccountMinor: row.on_account_minor,
    });
  }
  return payments;
}

/** A returned payment names one of our debtors on either side; a stranger's return is none of our business. */
async function isOurs(trx: Transaction<DB>, transaction: BankTransaction): Promise<boolean> {
  const names = [transaction.debtorName, transaction.creditorName].filter((name) => name !== null).map((name) => name.toLowerCase());
  if (names.length === 0) return false;
  const known = await trx
    .selectFrom('bill_to_account')
    .select('id')
    .where((eb) => eb(eb.fn<string>('lower', ['name']), 'in', names))
    .executeTakeFirst();
  return known !== undefined;
}

async function openTask(trx: Transaction<DB>, { statementId, at }: PaymentPlace, detail: string): Promise<void> {
  await trx
    .insertInto('process_exception')
    .values({
      id: uuidv7(),
      workflow_id: `bank-statement/${statementId}`,
      kind: `reversal/${detail.slice(0, 60)}`,
      detail,
      owner_role: 'accounts-receivable',
      opened_at: at,
    })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}
