import { type Transaction } from 'kysely';
import { uuidv7 } from 'uuidv7';
import { dimensionsOf, postEntry } from '../../db/journal';
import { type DB } from '../../db/types';
import { paymentReceived, toleranceWrittenOff } from '../../domain/accounting/entries';
import {
  matchPayment,
  type BankCredit,
  type CollectableInvoice,
  type InvoiceAmount,
  type PayingParty,
} from '../../domain/collections/cash';
import { type TolerancePolicy } from '../../domain/collections/tolerance';
import { type TouchedInvoices } from './bank';

export interface PaymentPlace {
  readonly statementId: string;
  readonly entityId: string;
  readonly entryPosition: number;
  readonly transactionPosition: number;
}

export const BOOK = 'primary';

/** Stores a payment with what it pays, what rest is given up, and what stays on account, and posts it (R-070… ). */
export async function creditParty(
  trx: Transaction<DB>,
  credit: BankCredit,
  party: PayingParty & { readonly customerId: string },
  tolerance: TolerancePolicy,
  place: PaymentPlace,
  touched: TouchedInvoices,
): Promise<void> {
  const matched = matchPayment(credit, party, await invoicesOf(trx, party.billToId, place.entityId), tolerance);
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
  for (const each of matched.applications) await reduce(trx, paymentId, credit, 'applied', each, touched);
  for (const each of matched.tolerance) await reduce(trx, paymentId, credit, 'tolerance', each, touched);
  await post(trx, paymentId, credit, party, place.entityId, matched);
}

async function reduce(
  trx: Transaction<DB>,
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
  if (!touched.has(invoiceId))
    touched.set(invoiceId, { invoiceId, dealId: invoice.deal_id, contractLineId: invoice.contract_line_id, wasSettled: false });
}

async function post(
  trx: Transaction<DB>,
  paymentId: string,
  credit: BankCredit,
  party: { readonly customerId: string },
  entityId: string,
  matched: { applications: readonly InvoiceAmount[]; tolerance: readonly InvoiceAmount[]; onAccountMinor: number },
): Promise<void> {
  const head = { book: BOOK, entityId, date: credit.bookedOn, currency: credit.amount.currency };
  const applications = [];
  for (const each of matched.applications) applications.push({ ...each, dimensions: await dimensionsOfInvoice(trx, each.invoiceId) });
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
    await postEntry(trx, toleranceWrittenOff({ ...head, paymentId, ...each, dimensions: await dimensionsOfInvoice(trx, each.invoiceId) }));
}

async function dimensionsOfInvoice(trx: Transaction<DB>, invoiceId: string) {
  const invoice = await trx.selectFrom('invoice').select('contract_line_id').where('id', '=', invoiceId).executeTakeFirstOrThrow();
  return dimensionsOf(trx, invoice.contract_line_id);
}

/** Every document of the party that a payer may name: issued and settled ones, drafts, and those the billing plan still has to come. */
async function invoicesOf(trx: Transaction<DB>, billToId: string, entityId: string): Promise<CollectableInvoice[]> {
  await trx
    .selectFrom('invoice')
    .select('id')
    .where('bill_to_id', '=', billToId)
    .where('state', '=', 'issued')
    .orderBy('id')
    .forUpdate()
    .execute();
  const documents = await trx
    .selectFrom('invoice')
    .selectAll()
    .where('bill_to_id', '=', billToId)
    .where('entity_id', '=', entityId)
    .where('state', '<>', 'void')
    .where('document_kind', '=', 'invoice')
    .orderBy('issue_date')
    .orderBy('id')
    .execute();
  const planned = await trx
    .selectFrom('billing_plan_item as item')
    .innerJoin('contract_line as line', 'line.id', 'item.contract_line_id')
    .select(['item.id', 'item.reference', 'item.currency'])
    .where('line.bill_to_id', '=', billToId)
    .where('item.state', '=', 'planned')
    .execute();
  return [
    ...documents.map((each) => ({
      invoiceId: each.id,
      reference: each.reference,
      billToId,
      currency: each.currency,
      issueDate: each.issue_date,
      totalMinor: each.total_minor,
      openMinor: each.open_minor,
    })),
    ...planned.map((each) => ({
      invoiceId: each.id,
      reference: each.reference,
      billToId,
      currency: each.currency,
      issueDate: null,
      totalMinor: 0,
      openMinor: 0,
    })),
  ];
}
