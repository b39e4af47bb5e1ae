import { negate } from '../../decimal';
import { isViolation, type Violation } from '../../violation';
import { completeInvoice, documentKindOf, type CompletedInvoice, type CompletedInvoiceLine, type TaxRounding } from '../invoice';
import { type TaxTreatment } from '../tax';
import { chosen, type Chosen, type CorrectionRequest, type CreditedThing } from './choice';
import { draftOf, hoursOf, netOf, withDiscount, type StandingDocument, type StandingItem, type StandingLine } from './standing';

export interface CorrectionTerms {
  /** The tax of the invoice, which its credit takes back. */
  readonly taxOfInvoice: TaxTreatment;
  /** The tax of the same day of supply by what is known of the parties today. */
  readonly taxAnew: TaxTreatment;
  readonly rounding: TaxRounding;
  readonly creditReference: string;
  readonly rebillReference: string;
}

/** A document and, beside each of its lines, the line of the invoice that it is about and the items of it. */
export interface CorrectingDocument {
  readonly document: CompletedInvoice;
  readonly about: readonly { readonly position: number; readonly items: readonly StandingItem[] }[];
}

export interface Correction {
  readonly credit: CorrectingDocument | null;
  readonly rebill: CorrectingDocument | null;
  readonly things: readonly CreditedThing[];
  /** What still stands on the invoice with its tax; 0 where all of it is credited. */
  readonly keptMinor: number;
  /** Net of what is kept back. */
  readonly heldMinor: number;
}

/**
 * What a correction makes of an issued invoice (R-211 to R-213, S-35): a credit note of exactly the difference between what stands and what
 * is to stand, and a document of what is billed once more, discount and tax computed anew. Refuses what is not on the invoice
 * (`CorrectionItemUnknown`), more than stands there (`CreditAboveStanding`), what would leave a document below zero
 * (`CorrectionLeavesNegative`), and a correction of nothing (`NothingToCorrect`).
 */
export function correctionOf(standing: StandingDocument, request: CorrectionRequest, terms: CorrectionTerms): Correction | Violation {
  const choice = chosen(standing, request);
  if (isViolation(choice)) return choice;
  const isRelease = request.kind === 'release';
  const kept = isRelease ? null : completedKept(standing, choice, terms);
  if (isViolation(kept)) return kept;
  const credit = isRelease ? null : creditOf(standing, choice, kept, terms);
  if (isViolation(credit)) return credit;
  const rebill = rebillOf(standing, choice, terms);
  if (isViolation(rebill)) return rebill;
  const held = choice.things.filter((thing) => thing.fate === 'hold');
  return { credit, rebill, things: choice.things, keptMinor: kept?.document.totalMinor ?? 0, heldMinor: netOf(held) };
}

/** What the revenue of a line changes by: as the documents say where it follows them, else by what is given up for good. */
export function revenueChange(correction: Correction, kind: CorrectionRequest['kind'], followsDocuments: boolean): number {
  const documents = (correction.credit?.document.netMinor ?? 0) + (correction.rebill?.document.netMinor ?? 0);
  if (followsDocuments) return documents;
  if (kind !== 'release') return documents + correction.heldMinor;
  return 0 - netOf(correction.things.filter((thing) => thing.fate === 'waive'));
}

/** `…-CN`, `…-CN2`; `…-R1`, `…-R2` (S-13, R-213): counted from the first invoice of the chain. */
export function correctionReference(root: string, kind: 'CN' | 'R', count: number): string {
  return kind === 'CN' && count === 1 ? `${root}-CN` : `${root}-${kind}${count}`;
}

/** What stays on the invoice, as it would be made anew; null where nothing does. */
function completedKept(standing: StandingDocument, { kept }: Chosen, terms: CorrectionTerms): CorrectingDocument | null | Violation {
  const lines = withDiscount(standing, kept);
  return completed(standing, { kind: standing.kind, reference: standing.reference }, lines, terms.taxOfInvoice, terms);
}

function rebillOf(standing: StandingDocument, { rebilled }: Chosen, terms: CorrectionTerms): CorrectingDocument | null | Violation {
  const lines = withDiscount(standing, rebilled);
  return completed(standing, { kind: 'rebill', reference: terms.rebillReference }, lines, terms.taxAnew, terms);
}

function completed(
  standing: StandingDocument,
  head: { readonly kind: string; readonly reference: string },
  lines: readonly StandingLine[],
  tax: TaxTreatment,
  { rounding }: CorrectionTerms,
): CorrectingDocument | null | Violation {
  const kind = documentKindOf(netOf(lines));
  if (kind === null) return null;
  if (kind === 'credit-note') return { violation: 'CorrectionLeavesNegative', detail: `${head.reference} would be a document below zero` };
  const document = completeInvoice(draftOf(standing, { ...head, documentKind: kind }, lines), tax, rounding);
  return isViolation(document) ? document : { document, about: lines.map(({ position, items }) => ({ position, items })) };
}

/**
 * The credit is what stands less what is to stand, line by line, tax included: so credits never add up to more than the invoice, and a full
 * one takes back to the minor unit what it charged (R-212, I-04).
 */
function creditOf(
  standing: StandingDocument,
  choice: Chosen,
  kept: CorrectingDocument | null,
  terms: CorrectionTerms,
): CorrectingDocument | Violation {
  const left = new Map(kept?.about.map(({ position }, index) => [position, kept.document.lines[index]]));
  const differences = standing.lines.flatMap((line) => {
    const rest = left.get(line.position);
    const amountMinor = (rest?.amountMinor ?? 0) - line.amountMinor;
    const taxMinor = (rest?.taxMinor ?? 0) - line.taxMinor;
    const items = itemsCredited(line, choice);
    return amountMinor === 0 && taxMinor === 0 && items.length === 0 ? [] : [{ line, items, amountMinor, taxMinor }];
  });
  const netMinor = netOf(differences);
  if (netMinor === 0) return { violation: 'NothingToCorrect', detail: standing.reference, path: '/choices' };
  if (netMinor > 0) return { violation: 'CorrectionLeavesNegative', detail: `${terms.creditReference} would charge instead of credit` };
  const lines = differences.map(({ line, items, amountMinor, taxMinor }) => creditLine(line, items, amountMinor, taxMinor));
  const taxMinor = lines.reduce((total, line) => total + line.taxMinor, 0);
  const { category: taxCategory, ratePercent: taxRatePercent, reasonCode: taxReasonCode, note: taxNote } = terms.taxOfInvoice;
  const { lineId, period, currency } = standing;
  const head = { documentKind: 'credit-note', kind: 'credit', reference: terms.creditReference, lineId, period, currency } as const;
  const tax = { netMinor, taxMinor, totalMinor: netMinor + taxMinor, taxCategory, taxRatePercent, taxReasonCode, taxNote };
  return {
    document: { ...head, lines, ...tax },
    about: differences.map(({ line, items }) => ({ position: line.position, items })),
  };
}

function itemsCredited(line: StandingLine, { things }: Chosen): readonly StandingItem[] {
  const own = things.filter((thing) => thing.position === line.position);
  return own.some((thing) => thing.whole) ? line.items : own.flatMap((thing) => thing.item ?? []);
}

function creditLine(line: StandingLine, items: readonly StandingItem[], amountMinor: number, taxMinor: number): CompletedInvoiceLine {
  const { description, unit, unitPrice, personId, roleCode } = line;
  const isWhole = amountMinor === -line.amountMinor;
  const quantity = hoursOf(items, -1) ?? (isWhole && line.quantity !== null ? negate(line.quantity) : null);
  const person = { ...(personId === null ? {} : { personId }), ...(roleCode === null ? {} : { roleCode }) };
  return { description, quantity, unit, unitPrice, ...person, amountMinor, taxMinor };
}
