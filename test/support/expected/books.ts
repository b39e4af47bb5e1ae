import { monthOf } from './days';
import { type ExpectedInvoice } from './document';
import { type RawLine } from './folder';
import { minorOf, written } from './fraction';
import { afterEachFile } from './receivables';
import { type WholeFolder } from './whole-folder';

/**
 * What the trial balance of an entity must tie to when the month of a monthly bank file is closed: documents issued by that day, cash
 * of this deal as matched, revenue as it was recognised up to that month: what was approved after a cut-off stands in a later one (S-29, S-45). Contract assets and liabilities are taken per line:
 * revenue to date above or below what is billed to date, never netted. Then, in every entity and currency,
 * cash + receivables + bank charges + contract assets = on account + output tax + contract liabilities + revenue.
 */
export interface ExpectedBooks {
  readonly asOf: string;
  readonly entity: string;
  readonly currency: string;
  readonly cash: string;
  readonly receivables: string;
  readonly bankCharges: string;
  readonly onAccount: string;
  readonly outputTax: string;
  readonly billedNet: string;
  readonly revenue: string;
  readonly contractAssets: string;
  readonly contractLiabilities: string;
}

/** Credit notes are receivables below zero here: nothing has been set off against them. */
export function booksOf(
  folder: WholeFolder,
  invoices: readonly ExpectedInvoice[],
  recognised: (line: RawLine, month: string) => bigint,
): ExpectedBooks[] {
  const sellers = [...new Set(folder.deal.lines.map((line) => `${line.sellingEntity} ${line.currency}`))].sort();
  return afterEachFile(folder, invoices, ({ asOf, accounts, payments }) =>
    sellers.map((seller) => {
      const [entity = '', currency = ''] = seller.split(' ');
      const bank = folder.entities.find(({ id }) => id === entity)?.bankAccount;
      const account = (bank?.iban ?? bank?.account ?? '').replaceAll(' ', '');
      const issued = invoices.filter((each) => each.entity === entity && each.currency === currency && each.issueDate <= asOf);
      const received = payments.filter(({ entry, reversed }) => !reversed && entry.account === account && entry.currency === currency);
      const add = (amounts: readonly bigint[]): bigint => amounts.reduce((sum, each) => sum + each, 0n);
      const sumOf = (documents: readonly ExpectedInvoice[], part: 'net' | 'tax' | 'total'): bigint =>
        add(documents.map((each) => minorOf(each[part], currency)));
      const positions = folder.deal.lines
        .filter((line) => line.sellingEntity === entity && line.currency === currency)
        .map((line) => {
          const revenue = recognised(line, monthOf(asOf));
          return { revenue, asset: revenue - sumOf(issued.filter(({ lineId }) => lineId === line.id), 'net') }; // prettier-ignore
        });
      const open = add(accounts.filter(({ invoice }) => issued.includes(invoice)).map((each) => each.open));
      const money = (minor: bigint): string => written(minor, currency);
      return {
        asOf,
        entity,
        currency,
        cash: money(add(received.map(({ entry }) => entry.amount))),
        receivables: money(open + sumOf(issued.filter(({ kind }) => kind === 'credit-note'), 'total')), // prettier-ignore
        bankCharges: money(add(received.flatMap(({ parts }) => parts.map(({ writtenOff }) => writtenOff)))),
        onAccount: money(add(received.map(({ onAccount }) => onAccount))),
        outputTax: money(sumOf(issued, 'tax')),
        billedNet: money(sumOf(issued, 'net')),
        revenue: money(add(positions.map(({ revenue }) => revenue))),
        contractAssets: money(add(positions.map(({ asset }) => (asset > 0n ? asset : 0n)))),
        contractLiabilities: money(add(positions.map(({ asset }) => (asset < 0n ? -asset : 0n)))),
      };
    }),
  ).flat();
}
