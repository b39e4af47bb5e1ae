import { type Kysely } from 'kysely';
import { type DB } from '../db/types';
import { addDays } from '../domain/calendar/dates';
import { type Instant, type LocalDate } from '../domain/deal/terms';
import { money } from '../domain/money';
import { writeCamt053 } from '../integrations/bank/camt053-writer';
import { type BankEntry, type BankStatement, type BankStatementFile } from '../integrations/bank/statement';
import { type DealFolder } from './folder';

/** An invoice that the customer will pay, and on which day. */
interface DuePayment {
  readonly reference: string;
  readonly entityId: string;
  readonly billToId: string;
  readonly currency: string;
  readonly openMinor: number;
  readonly payOn: LocalDate;
}

export interface GeneratedFile {
  readonly key: string;
  readonly references: readonly string[];
  readonly xml: string;
}

export interface StatementGenerator {
  /** When the next generated file arrives, as things stand; null when nothing is left to pay. */
  nextMoment(dealId: string): Promise<Instant | null>;
  /** The file that arrives at `moment` or before; null if none does. */
  fileAt(dealId: string, moment: Instant): Promise<GeneratedFile | null>;
}

const CREATED_AT = '04:00:00.000Z';

/**
 * The bank after the folder's own files end (S-46): every invoice left open is paid in full on its due date, or on the first day after
 * those files if it is overdue by then; what `disputes-and-promises.json` holds is not paid before the hold ends, and credit notes are
 * not paid. One file per day of payment, created the next morning as the folder's are, with a statement for each account that was paid into; balances and
 * sequence numbers go on from the account's last statement.
 */
export function statementGenerator(db: Kysely<DB>, folder: DealFolder): StatementGenerator {
  const lastStatements = folder.bankFiles.flatMap((each) => each.file.statements);
  const bankEnd = lastStatements.map((each) => each.to).sort().at(-1); // prettier-ignore
  const createdAt = (folder.bankFiles.at(-1)?.file.createdAt ?? `T${CREATED_AT}`).split('T')[1] ?? CREATED_AT;
  const arrives = (payOn: LocalDate): Instant => new Date(`${addDays(payOn, 1)}T${createdAt}`).toISOString();

  async function duePayments(dealId: string): Promise<DuePayment[]> {
    const invoices = await db
      .selectFrom('invoice')
      .select(['reference', 'entity_id', 'bill_to_id', 'currency', 'open_minor', 'due_date'])
      .where('deal_id', '=', dealId)
      .where('state', '=', 'issued')
      .where('document_kind', '=', 'invoice')
      .where('open_minor', '>', 0)
      .orderBy('reference')
      .execute();
    const payments = invoices.flatMap((invoice) => {
      const hold = folder.holds.find((each) => each.invoice === invoice.reference);
      if (invoice.due_date === null || (hold !== undefined && !hold.until)) return [];
      const earliest = [invoice.due_date, ...(bankEnd ? [addDays(bankEnd, 1)] : []), ...(hold?.until ? [addDays(hold.until, 1)] : [])];
      return [{ invoice, payOn: earliest.sort().at(-1) ?? invoice.due_date }]; // prettier-ignore
    });
    const accounts = payments.map(({ invoice }) => accountOf(folder, invoice.entity_id).account);
    const last = await lastImported(db, accounts);
    return payments.map(({ invoice, payOn }) => {
      const until = last.get(accountOf(folder, invoice.entity_id).account)?.to_date;
      const next = until === undefined ? payOn : addDays(until, 1);
      return {
        reference: invoice.reference,
        entityId: invoice.entity_id,
        billToId: invoice.bill_to_id,
        currency: invoice.currency,
        openMinor: Number(invoice.open_minor),
        payOn: next > payOn ? next : payOn,
      };
    });
  }

  return {
    nextMoment: async (dealId) => {
      const days = (await duePayments(dealId)).map((payment) => payment.payOn).sort();
      return days[0] === undefined ? null : arrives(days[0]);
    },
    fileAt: async (dealId, moment) => {
      const payments = (await duePayments(dealId)).sort((a, b) => (a.payOn < b.payOn ? -1 : a.payOn > b.payOn ? 1 : 0));
      const payOn = payments[0]?.payOn;
      if (payOn === undefined || arrives(payOn) > moment) return null;
      const paid = payments.filter((payment) => payment.payOn === payOn);
      const entityIds = [...new Set(paid.map((payment) => payment.entityId))].sort();
      const key = `${folder.dealEvent.data.shortCode}-${payOn}`;
      const file: BankStatementFile = {
        messageId: key,
        createdAt: arrives(payOn),
        statements: await Promise.all(
          entityIds.map((entityId) =>
            statementOf(
              db,
              folder,
              entityId,
              payOn,
              paid.filter((each) => each.entityId === entityId),
            ),
          ),
        ),
      };
      return { key, references: paid.map((payment) => payment.reference), xml: writeCamt053(file) };
    },
  };
}

async function statementOf(
  db: Kysely<DB>,
  folder: DealFolder,
  entityId: string,
  payOn: LocalDate,
  payments: readonly DuePayment[],
): Promise<BankStatement> {
  const { account, currency } = accountOf(folder, entityId);
  const foreign = payments.find((payment) => payment.currency !== currency);
  if (foreign) throw new Error(`${foreign.reference} is in ${foreign.currency}, but ${entityId} has an account in ${currency} only`);
  const last = (await lastImported(db, [account])).get(account);
  const openingMinor = Number(last?.closing_minor ?? 0);
  const billTos = [...new Set(payments.map((payment) => payment.billToId))].sort();
  const entries = billTos.map((billToId, index) =>
    entryOf(
      folder,
      billToId,
      payOn,
      index + 1,
      payments.filter((each) => each.billToId === billToId),
    ),
  );
  return {
    statementId: `${entityId}-${payOn}`,
    sequence: await nextSequence(db, folder, account),
    account,
    currency,
    from: last === undefined ? payOn : addDays(last.to_date, 1),
    to: payOn,
    openingMinor,
    closingMinor: openingMinor + payments.reduce((sum, payment) => sum + payment.openMinor, 0),
    unbookedEntries: 0,
    entries,
  };
}

/** One transfer of a customer for all it pays on a day, with the amount of each invoice. */
function entryOf(folder: DealFolder, billToId: string, payOn: LocalDate, position: number, payments: readonly DuePayment[]): BankEntry {
  const currency = payments[0]?.currency ?? '';
  const amount = money(
    payments.reduce((sum, payment) => sum + payment.openMinor, 0),
    currency,
  );
  return {
    entryRef: `${payOn}-${String(position).padStart(3, '0')}`,
    amount,
    direction: 'credit',
    reversal: false,
    status: 'booked',
    bookedOn: payOn,
    valueOn: payOn,
    bankReference: null,
    information: null,
    transactions: [
      {
        endToEndId: `${billToId}-${payOn}`,
        amount,
        debtorName: folder.billTos.find((each) => each.id === billToId)?.name ?? billToId,
        creditorName: null,
        structured: payments.map(({ reference, openMinor }) => ({ reference, amount: money(openMinor, currency) })),
        freeText: '',
      },
    ],
  };
}

/** The last statement of each of some accounts, where there is one. */
async function lastImported(db: Kysely<DB>, accounts: readonly string[]) {
  if (accounts.length === 0) return new Map<string, never>();
  const rows = await db
    .selectFrom('bank_statement')
    .select(['account', 'to_date', 'closing_minor'])
    .distinctOn('account')
    .where('account', 'in', [...new Set(accounts)])
    .orderBy('account')
    .orderBy('to_date', 'desc')
    .orderBy('position', 'desc')
    .execute();
  return new Map(rows.map((row) => [row.account, row]));
}

/** The folder's last number of the account, plus one for each statement that was generated after it. */
async function nextSequence(db: Kysely<DB>, folder: DealFolder, account: string): Promise<number> {
  const own = folder.bankFiles.flatMap((each) => each.file.statements).filter((each) => each.account === account);
  const imported = await db.selectFrom('bank_statement').select('statement_id').where('account', '=', account).execute();
  const generated = imported.filter((row) => !own.some((each) => each.statementId === row.statement_id));
  return Math.max(0, ...own.map((each) => each.sequence ?? 0)) + generated.length + 1;
}

function accountOf(folder: DealFolder, entityId: string): { account: string; currency: string } {
  const bank = folder.entities.find((each) => each.id === entityId)?.bankAccount;
  const account = bank?.iban ?? bank?.account;
  if (bank === undefined || account === undefined) throw new Error(`legal entity ${entityId} has no bank account`);
  return { account: account.replace(/ /g, ''), currency: bank.currency };
}
