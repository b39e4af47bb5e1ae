import { type Month } from '../deal/terms';
import { compare, divide, minus, round, sum, times, toSafeInteger, type Decimal, type RoundingMode } from '../decimal';
import { money, percentOf } from '../money';
import { type Violation } from '../violation';
import { type TaxCategory, type TaxTreatment } from './tax';

export type DocumentKind = 'invoice' | 'credit-note';

/** A line before tax. `amountMinor` is in the document's currency and already rounded; quantity and price are for show (S-08). */
export interface InvoiceDraftLine {
  readonly description: string;
  readonly quantity: Decimal | null;
  readonly unit: string | null;
  readonly unitPrice: Decimal | null;
  readonly amountMinor: number;
  /** Whose work in which role a line bills: documents join the name, the description has none (I-15). */
  readonly personId?: string;
  readonly roleCode?: string;
  readonly itemKind?: string;
  readonly itemIds?: readonly string[];
  /** What each item contributes where an item may be billed in parts: the amounts sum to the line; `hours` is null for what is not time. */
  readonly items?: readonly { readonly itemId: string; readonly amountMinor: number; readonly hours: Decimal | null }[];
}

/** A document before tax. `kind` is the billing occasion (milestone, advance, overage …); the amounts of a credit note are negative. */
export interface InvoiceDraft {
  readonly documentKind: DocumentKind;
  readonly kind: string;
  readonly lineId: string;
  readonly period: Month;
  readonly reference: string;
  readonly currency: string;
  readonly lines: readonly InvoiceDraftLine[];
}

/** How a legal entity rounds tax: on each line, or once on the document's net (S-19). */
export interface TaxRounding {
  readonly level: 'line' | 'document';
  readonly mode: RoundingMode;
}

export interface CompletedInvoiceLine extends InvoiceDraftLine {
  readonly taxMinor: number;
}

/** A document with its tax: `totalMinor` = `netMinor` + `taxMinor`, and both are the sums over the lines (I-04). */
export interface CompletedInvoice extends Omit<InvoiceDraft, 'lines'> {
  readonly lines: readonly CompletedInvoiceLine[];
  readonly netMinor: number;
  readonly taxMinor: number;
  readonly totalMinor: number;
  readonly taxCategory: TaxCategory;
  readonly taxRatePercent: Decimal;
  readonly taxReasonCode: string | null;
  readonly taxNote: string | null;
}

/**
 * Adds net, tax and total to a draft (R-041, S-19, I-04). At line level each line's tax is rounded on its absolute value and the
 * document's tax is their sum; at document level the tax of the net is rounded once and spread over the lines. Refuses a draft without
 * lines or with a net of zero (S-13), and a sign that does not fit the kind of document.
 */
export function completeInvoice(draft: InvoiceDraft, tax: TaxTreatment, rounding: TaxRounding): CompletedInvoice | Violation {
  if (draft.lines.length === 0) return { violation: 'DocumentWithoutLines', detail: draft.reference };
  const amounts = draft.lines.map((line) => money(line.amountMinor, draft.currency).minor);
  const netMinor = total(amounts, draft.currency);
  const kind = documentKindOf(netMinor);
  if (kind === null) return { violation: 'DocumentWithoutAmount', detail: draft.reference };
  if (kind !== draft.documentKind)
    return { violation: 'DocumentSignWrong', detail: `${draft.reference}: ${draft.documentKind} with net ${netMinor}` };
  const taxes =
    rounding.level === 'line'
      ? taxPerLine(amounts, draft.currency, tax.ratePercent, rounding.mode)
      : taxOnDocument(amounts, tax.ratePercent, rounding.mode);
  const taxMinor = total(taxes, draft.currency);
  return {
    ...draft,
    lines: draft.lines.map((line, index) => ({ ...line, taxMinor: taxes[index] ?? 0 })),
    netMinor,
    taxMinor,
    totalMinor: total([netMinor, taxMinor], draft.currency),
    taxCategory: tax.category,
    taxRatePercent: tax.ratePercent,
    taxReasonCode: tax.reasonCode,
    taxNote: tax.note,
  };
}

/** A settlement with a positive net is an invoice, with a negative one a credit note, with zero there is none (R-042, S-13). */
export function documentKindOf(netMinor: number): DocumentKind | null {
  if (netMinor === 0) return null;
  return netMinor > 0 ? 'invoice' : 'credit-note';
}

function taxPerLine(amounts: readonly number[], currency: string, percent: Decimal, mode: RoundingMode): number[] {
  return amounts.map((minor) => percentOf({ minor, currency }, percent, mode).minor);
}

/**
 * Rounds the tax of the whole net once and gives every line its exact tax rounded down, then one minor unit more to those that lost most,
 * ties to the earlier line. Works for lines of both signs, and mirrors exactly when all signs turn, so that a full credit takes back
 * what the invoice charged.
 */
function taxOnDocument(amounts: readonly number[], percent: Decimal, mode: RoundingMode): number[] {
  const sign = amounts.reduce((a, b) => a + b, 0) < 0 ? -1 : 1;
  const exact = amounts.map((minor) => times(String(minor * sign), percent)); // in hundredths of a minor unit, as rates are percents
  const whole = exact.map(floorPercent);
  const lost = exact.map((value, index) => minus(value, times(whole[index] ?? '0', '100')));
  const wanted = divide(sum(exact), '100', 0, mode);
  const left = toSafeInteger(minus(wanted, sum(whole)));
  const order = lost.map((_, index) => index).sort((a, b) => compare(lost[b] ?? '0', lost[a] ?? '0') || a - b);
  const favoured = new Set(order.slice(0, left));
  return whole.map((value, index) => signed(sign, toSafeInteger(value) + (favoured.has(index) ? 1 : 0)));
}

/** The whole units in a value of hundredths, towards minus infinity. */
function floorPercent(hundredths: Decimal): Decimal {
  const cut = round(times(hundredths, '0.01'), 0, 'down');
  return compare(times(cut, '100'), hundredths) > 0 ? minus(cut, '1') : cut;
}

function signed(sign: 1 | -1, value: number): number {
  return value === 0 ? 0 : sign * value;
}

function total(list: readonly number[], currency: string): number {
  return list.reduce((a, b) => money(a + b, currency).minor, 0);
}
