import { daysFrom } from './days';
import { type ExpectedInvoice } from './document';
import { fraction, over, rounded, sum, times, whole, written } from './fraction';
import { afterEachFile, type CashState } from './receivables';
import { type WholeFolder } from './whole-folder';

/** Amounts by currency; a currency without one is left out. */
export type ByCurrency = Readonly<Record<string, string>>;

export interface ExpectedStatement {
  readonly asOf: string;
  readonly openInvoices: readonly { readonly reference: string; readonly open: string; readonly daysOverdue: number }[];
  readonly overdue: ByCurrency;
  readonly onAccount: ByCurrency;
}

export interface ExpectedInterest {
  readonly asOf: string;
  readonly reference: string;
  readonly currency: string;
  readonly amount: string;
}

/** Open amounts by days after the due date. */
export interface ExpectedAgeing {
  readonly asOf: string;
  readonly currency: string;
  readonly notDue: string;
  readonly days1To30: string;
  readonly days31To60: string;
  readonly days61To90: string;
  readonly over90: string;
}

export interface ExpectedCash {
  readonly statements: readonly ExpectedStatement[];
  readonly interest: readonly ExpectedInterest[];
  readonly ageing: readonly ExpectedAgeing[];
}

/** What is open, overdue, on account and earned in interest at the last day of each monthly file (S-33, S-34). */
export function cashFigures(folder: WholeFolder, invoices: readonly ExpectedInvoice[]): ExpectedCash {
  const states = afterEachFile(folder, invoices, (cash) => ({
    statement: statementOf(cash),
    interest: interestOf(cash, String(folder.deal.lateInterestPercentPerYear)),
    ageing: ageingOf(cash),
  }));
  return {
    statements: states.map(({ statement }) => statement),
    interest: states.flatMap(({ interest }) => interest),
    ageing: states.flatMap(({ ageing }) => ageing),
  };
}

/** Issued by the day and not settled, by reference. */
function openOn({ asOf, accounts }: CashState) {
  return accounts
    .filter(({ invoice, open }) => invoice.issueDate <= asOf && open !== 0n)
    .map(({ invoice, open }) => ({ invoice, open, days: daysFrom(invoice.dueDate, asOf) }))
    .sort((a, b) => (a.invoice.reference < b.invoice.reference ? -1 : 1));
}

function statementOf(cash: CashState): ExpectedStatement {
  const open = openOn(cash);
  return {
    asOf: cash.asOf,
    openInvoices: open.map(({ invoice, open: minor, days }) => ({
      reference: invoice.reference,
      open: written(minor, invoice.currency),
      daysOverdue: Math.max(0, days),
    })),
    overdue: byCurrency(open.filter(({ days }) => days > 0).map(({ invoice, open: minor }) => [invoice.currency, minor])),
    onAccount: byCurrency(cash.payments.filter(({ reversed }) => !reversed).map(({ entry, onAccount }) => [entry.currency, onAccount])),
  };
}

/**
 * Simple interest from the day after the due date to the day of payment, or to the day of the statement for what is open. A rest that is
 * written off counts as paid with its payment; a payment that came back as never made; a dispute stops nothing (S-34).
 */
function interestOf({ asOf, accounts, payments }: CashState, percent: string): ExpectedInterest[] {
  const perDay = over(fraction(percent), fraction(36_500));
  const standing = payments.filter(({ reversed }) => !reversed);
  return accounts
    .filter(({ invoice }) => invoice.issueDate <= asOf)
    .flatMap(({ invoice, open }) => {
      const paid = standing.flatMap(({ entry, parts }) =>
        parts
          .filter(({ account }) => account.invoice === invoice)
          .map(({ amount, writtenOff }) => ({ minor: amount + writtenOff, day: entry.bookedOn })),
      );
      const late = [...paid, { minor: open, day: asOf }].map(({ minor, day }) =>
        times(whole(minor), fraction(Math.max(0, daysFrom(invoice.dueDate, day)))),
      );
      const minor = rounded(times(sum(late), perDay), 'half-up');
      return minor === 0n
        ? []
        : [{ asOf, reference: invoice.reference, currency: invoice.currency, amount: written(minor, invoice.currency) }];
    })
    .sort((a, b) => (a.reference < b.reference ? -1 : 1));
}

function ageingOf(cash: CashState): ExpectedAgeing[] {
  const open = openOn(cash);
  const currencies = [...new Set(open.map(({ invoice }) => invoice.currency))].sort();
  return currencies.map((currency) => {
    const within = (from: number, to: number): string => {
      const inside = open.filter(({ invoice, days }) => invoice.currency === currency && days >= from && days <= to);
      return written(inside.reduce((total, { open: minor }) => total + minor, 0n), currency); // prettier-ignore
    };
    return {
      asOf: cash.asOf,
      currency,
      notDue: within(-Infinity, 0),
      days1To30: within(1, 30),
      days31To60: within(31, 60),
      days61To90: within(61, 90),
      over90: within(91, Infinity),
    };
  });
}

function byCurrency(amounts: readonly (readonly [string, bigint])[]): ByCurrency {
  const totals = new Map<string, bigint>();
  for (const [currency, minor] of amounts) totals.set(currency, (totals.get(currency) ?? 0n) + minor);
  return Object.fromEntries([...totals].filter(([, minor]) => minor !== 0n).sort().map(([currency, minor]) => [currency, written(minor, currency)])); // prettier-ignore
}
