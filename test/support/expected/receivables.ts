import { readMonthlyFile, type StatementEntry } from './bank-file';
import { daysFrom } from './days';
import { type ExpectedInvoice } from './document';
import { type ExpectedFolder } from './folder';
import { minorOf, written } from './fraction';

export interface ExpectedReceivables {
  readonly asOf: string;
  readonly open: readonly {
    readonly reference: string;
    readonly open: string;
    readonly currency: string;
    readonly daysOverdue: number;
  }[];
  readonly onAccount: readonly { readonly billTo: string; readonly currency: string; readonly amount: string }[];
}

export interface Account {
  readonly invoice: ExpectedInvoice;
  readonly total: bigint;
  open: bigint;
}

export interface Applied {
  readonly entry: StatementEntry;
  readonly billTo: string;
  /** With the rest that is written off after it, if any. */
  readonly parts: readonly { readonly account: Account; readonly amount: bigint; readonly writtenOff: bigint }[];
  readonly onAccount: bigint;
  reversed: boolean;
}

/** Accounts and payments as they stand when a file has been read; both go on to change with the next one. */
export interface CashState {
  readonly asOf: string;
  readonly accounts: readonly Account[];
  readonly payments: readonly Applied[];
}

/** Open receivables and money on account after each monthly bank file (S-30 to S-33). */
export function receivablesAfterEachFile(folder: ExpectedFolder, invoices: readonly ExpectedInvoice[]): ExpectedReceivables[] {
  return afterEachFile(folder, invoices, ({ asOf, accounts, payments }) => statement(asOf, accounts, payments));
}

/** Reads the bank files in order and states something after each of them. */
export function afterEachFile<T>(folder: ExpectedFolder, invoices: readonly ExpectedInvoice[], state: (cash: CashState) => T): T[] {
  const accounts: Account[] = invoices
    .filter(({ kind }) => kind === 'invoice')
    .map((invoice) => ({ invoice, total: minorOf(invoice.total, invoice.currency), open: minorOf(invoice.total, invoice.currency) }));
  const payments: Applied[] = [];
  return folder.bank.map((xml) => {
    const file = readMonthlyFile(xml);
    for (const entry of file.entries) {
      if (entry.kind === 'reversal') takeBack(payments, entry);
      else payments.push(...applied(folder, accounts, entry));
    }
    return state({ asOf: file.asOf, accounts, payments });
  });
}

function applied(folder: ExpectedFolder, accounts: readonly Account[], entry: StatementEntry): Applied[] {
  const party = folder.billTos.find(({ name }) => name.toLowerCase() === entry.debtor.toLowerCase());
  if (!party) return [];
  const own = accounts.filter(
    ({ invoice, open }) =>
      invoice.billTo === party.id && invoice.currency === entry.currency && invoice.issueDate <= entry.bookedOn && open > 0n,
  );
  const parts: { account: Account; amount: bigint }[] = [];
  let left = entry.amount;
  for (const { reference, amount } of claimsOf(folder, own, entry)) {
    const account = own.find(({ invoice }) => invoice.reference === reference);
    const wanted = amount ?? account?.open ?? 0n;
    const taken = min(min(wanted, account?.open ?? 0n), left);
    if (account && taken > 0n) {
      parts.push({ account, amount: taken });
      account.open -= taken;
    }
    left -= amount === null ? taken : min(amount, left);
  }
  const paid = parts.reduce((sum, { amount }) => sum + amount, 0n);
  const withRests = parts.map(({ account, amount }) => ({ account, amount, writtenOff: restGivenUp(account) }));
  return [{ entry, billTo: party.id, parts: withRests, onAccount: entry.amount - paid, reversed: false }];
}

/** Structured references, else references in the free text, else the only invoice that is open by exactly this amount (S-31). */
function claimsOf(
  folder: ExpectedFolder,
  own: readonly Account[],
  entry: StatementEntry,
): readonly { readonly reference: string; readonly amount: bigint | null }[] {
  if (entry.remittances.length > 0) return entry.remittances;
  const words = entry.freeText.toUpperCase().match(new RegExp(`\\b${folder.deal.shortCode.toUpperCase()}-[A-Z0-9-]*[A-Z0-9]`, 'g')) ?? [];
  if (words.length > 0) return words.map((reference) => ({ reference, amount: null }));
  const [only, another] = own.filter(({ open }) => open === entry.amount);
  return only && !another ? [{ reference: only.invoice.reference, amount: null }] : [];
}

/** At most 0.5 % of the total and 50 major units (JPY 5,000) are written off (S-32, S-47). */
function restGivenUp(account: Account): bigint {
  const cap = minorOf(account.invoice.currency === 'JPY' ? '5000' : '50', account.invoice.currency);
  const rest = account.open;
  if (rest > cap || rest * 1000n > account.total * 5n) return 0n;
  account.open = 0n;
  return rest;
}

function takeBack(payments: readonly Applied[], reversal: StatementEntry): void {
  const payment = payments.findLast(({ entry, reversed }) => !reversed && entry.endToEndId === reversal.endToEndId);
  if (!payment) return;
  payment.reversed = true;
  for (const { account, amount, writtenOff } of payment.parts) account.open += amount + writtenOff;
}

function statement(asOf: string, accounts: readonly Account[], payments: readonly Applied[]): ExpectedReceivables {
  const onAccount = new Map<string, { billTo: string; currency: string; minor: bigint }>();
  for (const { billTo, entry, onAccount: minor, reversed } of payments) {
    if (reversed || minor === 0n) continue;
    const key = `${billTo} ${entry.currency}`;
    onAccount.set(key, { billTo, currency: entry.currency, minor: minor + (onAccount.get(key)?.minor ?? 0n) });
  }
  return {
    asOf,
    open: accounts
      .filter(({ invoice, open }) => invoice.issueDate <= asOf && open !== 0n)
      .map(({ invoice, open }) => ({
        reference: invoice.reference,
        open: written(open, invoice.currency),
        currency: invoice.currency,
        daysOverdue: Math.max(0, daysFrom(invoice.dueDate, asOf)),
      }))
      .sort((a, b) => (a.reference < b.reference ? -1 : 1)),
    onAccount: [...onAccount.values()]
      .map(({ billTo, currency, minor }) => ({ billTo, currency, amount: written(minor, currency) }))
      .sort((a, b) => (a.billTo < b.billTo ? -1 : 1)),
  };
}

const min = (a: bigint, b: bigint): bigint => (a < b ? a : b);
