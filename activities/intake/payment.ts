import { type Transaction } from 'kysely';
import { uuidv7 } from 'uuidv7';
import { BOOK, postEntry } from '../../db/journal';
import { type DB } from '../../db/types';
import { paymentReceived, toleranceWrittenOff } from '../../domain/accounting/entries';
import { matchPayment, partyOf, type BankCredit, type InvoiceAmount } from '../../domain/collections/cash';
import { type CashBook, type PayingAccount } from './cash-book';
import { type TouchedInvoices } from './bank-entry';

/** Where in which statement a payment stands; `at` is the business moment of the effect that takes it. */
export interface PaymentPlace {
  readonly statementId: string;
  readonly entityId: string;
  readonly entryPosition: number;
  readonly transactionPosition: number;
  readonly at: string;
}

/**
 * A credit of one of our bill-to accounts becomes a payment (R-070, S-30). Of a stranger it is none of our business; of a customer whom
 * another entity of ours serves, it is a task for people: the money belongs to somebody, but not where it came in.
 */
export async function creditParty(
  trx: Transaction<DB>,
  book: CashBook,
  credit: BankCredit,
  place: PaymentPlace,
  touched: TouchedInvoices,
): Promise<void> {
  const payers = await book.payers();
  const party = partyOf(
    credit.debtorName,
    payers.filter((each) => each.servedBy === place.entityId),
  );
  if (party !== null) await storePayment(trx, book, credit, party, place, touched);
  else if (partyOf(credit.debtorName, payers)) {
    await openPaymentTask(trx, place, `a customer of another entity paid on the account of ${place.entityId}`);
  }
}

/** Stores a payment with what it pays, what rest is given up, and what stays on account, and posts it (R-070… ). */
async function storePayment(
  trx: Transaction<DB>,
  book: CashBook,
  credit: BankCredit,
  party: PayingAccount,
  place: PaymentPlace,
  touched: TouchedInvoices,
): Promise<void> {
  const tolerance = await book.tolerance(party.dunningClass, credit.bookedOn, place.entityId);
  const matched = matchPayment(credit, party, await book.collectable(party.billToId, place.entityId), tolerance);
  if (matched === 'not-ours') return;
  const paymentId = uuidv7();
  await trx
    .insertInto('payment')
    .values({
      id: paymentId,
      bank_statement_id: place.statementId,
      entry_position: place.entryPosition,
      transaction_position: place.transactionPosition,
      end_to_end_id: credit.endToEndId,
      bill_to_id: party.billToId,
      entity_id: place.entityId,
      booked_on: credit.bookedOn,
      amount_minor: credit.amount.minor,
      currency: credit.amount.currency,
      on_account_minor: matched.onAccountMinor,
      method: matched.method,
      confidence: String(matched.confidence),
    })
    .execute();
  for (const each of matched.applications) await reduce(trx, book, paymentId, credit, 'applied', each, touched);
  for (const each of matched.tolerance) await reduce(trx, book, paymentId, credit, 'tolerance', each, touched);
  await post(trx, book, paymentId, credit, party, place.entityId, matched);
}

async function reduce(
  trx: Transaction<DB>,
  book: CashBook,
  paymentId: string,
  credit: BankCredit,
  kind: 'applied' | 'tolerance',
  { invoiceId, amountMinor }: InvoiceAmount,
  touched: TouchedInvoices,
): Promise<void> {
  await trx
    .insertInto('payment_application')
    .values({ id: uuidv7(), payment_id: paymentId, invoice_id: invoiceId, kind, amount_minor: amountMinor, applied_on: credit.bookedOn })
    .execute();
  const invoice = await trx
    .updateTable('invoice')
    .set((eb) => ({ open_minor: eb('open_minor', '-', amountMinor), revision: eb('revision', '+', 1) }))
    .where('id', '=', invoiceId)
    .returning(['deal_id', 'contract_line_id'])
    .executeTakeFirstOrThrow();
  book.reduced(invoiceId, amountMinor);
  if (!touched.has(invoiceId))
    touched.set(invoiceId, { invoiceId, dealId: invoice.deal_id, contractLineId: invoice.contract_line_id, wasSettled: false });
}

async function post(
  trx: Transaction<DB>,
  book: CashBook,
  paymentId: string,
  credit: BankCredit,
  party: { readonly customerId: string },
  entityId: string,
  matched: { applications: readonly InvoiceAmount[]; tolerance: readonly InvoiceAmount[]; onAccountMinor: number },
): Promise<void> {
  const head = { book: BOOK, entityId, date: credit.bookedOn, currency: credit.amount.currency };
  const applications = [];
  for (const each of matched.applications) applications.push({ ...each, dimensions: await book.dimensionsOf(each.invoiceId) });
  await postEntry(
    trx,
    paymentReceived({
      ...head,
      paymentId,
      amountMinor: credit.amount.minor,
      applications,
      onAccountMinor: matched.onAccountMinor,
      customerId: party.customerId,
    }),
  );
  for (const each of matched.tolerance)
    await postEntry(trx, toleranceWrittenOff({ ...head, paymentId, ...each, dimensions: await book.dimensionsOf(each.invoiceId) }));
}

/** What people have to look at: money that belongs to somebody, but not where it came in. */
async function openPaymentTask(trx: Transaction<DB>, place: PaymentPlace, detail: string): Promise<void> {
  await trx
    .insertInto('process_exception')
    .values({
      id: uuidv7(),
      workflow_id: `bank-statement/${place.statementId}`,
      kind: `payment/${place.entryPosition}/${place.transactionPosition}`,
      detail,
      owner_role: 'accounts-receivable',
      opened_at: place.at,
    })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}
