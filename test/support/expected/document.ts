import { addDays } from './days';
import { type ExpectedFolder, type RawBillTo, type RawEntity, type RawLine } from './folder';
import { fraction, rounded, times, written } from './fraction';

/** An invoice or credit note as the figures of a deal state it (reference deal, part 3). */
export interface ExpectedInvoice {
  readonly reference: string;
  readonly kind: 'invoice' | 'credit-note';
  readonly lineId: string;
  readonly period: string;
  readonly entity: string;
  readonly billTo: string;
  readonly currency: string;
  readonly issueDate: string;
  readonly dueDate: string;
  readonly net: string;
  readonly taxCategory: 'S' | 'O' | 'AE';
  readonly tax: string;
  readonly total: string;
}

/** A line of the contract with the parties that its documents name. */
export interface LineParties {
  readonly line: RawLine;
  readonly entity: RawEntity;
  readonly billTo: RawBillTo;
  readonly folder: ExpectedFolder;
}

/** A document with its amounts by line in minor units; nothing where all amounts are zero (S-13, S-18). */
export function documentOf(
  parties: LineParties,
  facts: { readonly reference: string; readonly period: string; readonly issueDate: string; readonly amounts: readonly bigint[] },
): ExpectedInvoice[] {
  const { line, entity, billTo, folder } = parties;
  const { reference, period, issueDate } = facts;
  const amounts = facts.amounts.filter((amount) => amount !== 0n);
  const net = amounts.reduce((sum, amount) => sum + amount, 0n);
  if (net === 0n) return [];
  const { category, percent } = taxOf(parties);
  const tax = taxAmount(amounts, net, percent, entity.invoiceRounding);
  const money = (minor: bigint): string => written(minor, line.currency);
  return [
    {
      reference,
      kind: net < 0n ? 'credit-note' : 'invoice',
      lineId: line.id,
      period,
      entity: entity.id,
      billTo: billTo.id,
      currency: line.currency,
      issueDate,
      dueDate: addDays(issueDate, Number(folder.deal.paymentTermsDays)),
      net: money(net),
      taxCategory: category,
      tax: money(tax),
      total: money(net + tax),
    },
  ];
}

/** Rounded per line or on the document, as the seller's books are kept (S-19). */
function taxAmount(amounts: readonly bigint[], net: bigint, percent: string, how: RawEntity['invoiceRounding']): bigint {
  const taxed = (amount: bigint): bigint => rounded(times(times({ n: amount, d: 1n }, fraction(percent)), { n: 1n, d: 100n }), how.mode);
  return how.level === 'document' ? taxed(net) : amounts.reduce((sum, amount) => sum + taxed(amount), 0n);
}

const domesticRates: Readonly<Record<string, string>> = { DE: '19', FR: '20', SG: '9', JP: '10', GB: '20' };
const euCountries = ['DE', 'FR', 'IT', 'ES', 'NL', 'BE', 'AT', 'IE', 'PL', 'PT', 'SE', 'FI', 'DK', 'LU', 'CZ'];

/** By the countries of both sides (S-19, S-47). */
function taxOf({ entity, billTo }: LineParties): { category: ExpectedInvoice['taxCategory']; percent: string } {
  const domestic = domesticRates[entity.country];
  if (entity.country === billTo.country && domestic !== undefined) return { category: 'S', percent: domestic };
  const inEu = euCountries.includes(entity.country) && euCountries.includes(billTo.country) && entity.country !== billTo.country;
  return { category: inEu && billTo.taxRegistrations.some(({ type }) => type === 'VAT') ? 'AE' : 'O', percent: '0' };
}

/** The calendar with an id. */
export function calendarOf(folder: ExpectedFolder, id: string) {
  const calendar = folder.calendars.find((each) => each.id === id);
  if (!calendar) throw new Error(`no calendar ${id}`);
  return calendar;
}
