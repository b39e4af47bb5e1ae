import { type Month } from '../../deal/terms';
import { sum, times, type Decimal } from '../../decimal';
import { percentOf } from '../../money';
import { type InvoiceDraft, type InvoiceDraftLine } from '../invoice';

/** What becomes of something that is credited: billed once more, never again, or kept back until finance decides (I-05). */
export type Fate = 'rebill' | 'waive' | 'hold';

/** Something billed that a document line stands for; amount and hours are null where a line is not made of the amounts of its items. */
export interface StandingItem {
  readonly id: string;
  readonly itemKind: string;
  readonly itemId: string;
  /** The names by which people call it: the id of the entry, the expense, the milestone. */
  readonly names: readonly string[];
  readonly amountMinor: number | null;
  readonly hours: Decimal | null;
}

/** A line of an issued invoice less what earlier credits took off it. */
export interface StandingLine {
  readonly position: number;
  readonly description: string;
  readonly quantity: Decimal | null;
  readonly unit: string | null;
  readonly unitPrice: Decimal | null;
  readonly personId: string | null;
  readonly roleCode: string | null;
  readonly amountMinor: number;
  readonly taxMinor: number;
  readonly items: readonly StandingItem[];
}

/** What of an issued invoice is not credited; for a release, what a credit of it kept back. */
export interface StandingDocument {
  readonly kind: string;
  readonly lineId: string;
  readonly period: Month;
  readonly reference: string;
  readonly currency: string;
  readonly lines: readonly StandingLine[];
  /** The discount on fees by which the document was made; null where its line knows none. */
  readonly feeDiscountPercent: Decimal | null;
}

/** A discount on fees is a line that takes something off and stands for no item of its own. */
export function isDiscount({ feeDiscountPercent }: StandingDocument, line: StandingLine): boolean {
  return feeDiscountPercent !== null && line.items.length === 0 && line.amountMinor < 0;
}

/** Lines of a document with its discount computed anew on the fees among them (R-123, S-09, S-35). */
export function withDiscount(standing: StandingDocument, lines: readonly StandingLine[]): StandingLine[] {
  const discount = standing.lines.find((line) => isDiscount(standing, line));
  if (discount === undefined) return [...lines];
  const fees = lines.flatMap((line) => line.items).filter((item) => item.itemKind === 'time-entry');
  const base = { minor: fees.reduce((total, item) => total + (item.amountMinor ?? 0), 0), currency: standing.currency };
  const { minor } = percentOf(base, standing.feeDiscountPercent ?? '0', 'half-up');
  return minor === 0 ? [...lines] : [...lines, { ...discount, amountMinor: -minor }].sort((a, b) => a.position - b.position);
}

/** A draft of some lines of the document. */
export function draftOf(
  standing: StandingDocument,
  head: Pick<InvoiceDraft, 'documentKind' | 'kind' | 'reference'>,
  lines: readonly StandingLine[],
): InvoiceDraft {
  const { lineId, period, currency } = standing;
  return { ...head, lineId, period, currency, lines: lines.map(draftLine) };
}

export function netOf(lines: readonly { readonly amountMinor: number }[]): number {
  return lines.reduce((total, line) => total + line.amountMinor, 0);
}

/** Hours that some items stand for; null where they are not all of hours. */
export function hoursOf(items: readonly StandingItem[], sign: 1 | -1 = 1): Decimal | null {
  const hours = items.flatMap((item) => item.hours ?? []);
  return items.length === 0 || hours.length < items.length ? null : times(sum(hours), String(sign));
}

function draftLine({ description, quantity, unit, unitPrice, amountMinor, personId, roleCode }: StandingLine): InvoiceDraftLine {
  const person = { ...(personId === null ? {} : { personId }), ...(roleCode === null ? {} : { roleCode }) };
  return { description, quantity, unit, unitPrice, amountMinor, ...person };
}
