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

/** Standard rates on services in 2026; the United States have none. */
// prettier-ignore
export const domesticRates: Readonly<Record<string, string>> = {
  AT: '20', BE: '21', BG: '20', CY: '19', CZ: '21', DE: '19', DK: '25', EE: '24', ES: '21', FI: '25.5', FR: '20', GR: '24', HR: '25',
  HU: '27', IE: '23', IT: '22', LT: '21', LU: '17', LV: '21', MT: '18', NL: '21', PL: '23', PT: '23', RO: '21', SE: '25', SI: '22',
  SK: '23', AU: '10', CA: '5', CH: '8.1', GB: '20', JP: '10', NZ: '15', SG: '9',
};
const euCountries = 'AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK'.split(' ');

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
