import { type LocalDate, type Month } from '../deal/terms';
import { isCurrency } from '../money';
import { type Violation } from '../violation';
import { isAccountCode } from './accounts';

/** Reporting dimensions of a money row; null where a row concerns no single one, such as money on account. */
export interface JournalDimensions {
  readonly customerId: string | null;
  readonly projectId: string | null;
  readonly lineId: string | null;
  readonly serviceLine: string | null;
  readonly practice: string | null;
  readonly region: string | null;
}

/** One side is a positive amount in minor units, the other is zero. */
export interface JournalLine {
  readonly account: string;
  readonly debitMinor: number;
  readonly creditMinor: number;
  readonly currency: string;
  readonly dimensions: JournalDimensions;
}

/** One entry of one legal entity in one book (accounting framework); `entryKey` is its business identity and unique. */
export interface JournalEntry {
  readonly entryKey: string;
  readonly book: string;
  readonly entityId: string;
  readonly date: LocalDate;
  /** The month the entry is about, where that is not (only) the month of its date: revenue, and what came after its month was closed (S-45). */
  readonly concernsMonth?: Month;
  readonly narrative: string;
  readonly lines: readonly JournalLine[];
}

/** What is wrong with an entry, or null: every line has one side and a known account, and debits equal credits per currency (R-051, I-03). */
export function balance(entry: JournalEntry): Violation | null {
  if (entry.lines.length < 2) return { violation: 'JournalEntryIncomplete', detail: `${entry.entryKey} has ${entry.lines.length} lines` };
  const bad = entry.lines.findIndex((line) => !isSound(line));
  if (bad !== -1)
    return { violation: 'JournalLineInvalid', detail: `${entry.entryKey}: ${JSON.stringify(entry.lines[bad])}`, path: `/lines/${bad}` };
  const sums = new Map<string, number>();
  for (const line of entry.lines) sums.set(line.currency, (sums.get(line.currency) ?? 0) + line.debitMinor - line.creditMinor);
  const open = [...sums].find(([, sum]) => sum !== 0);
  return open === undefined
    ? null
    : { violation: 'JournalEntryUnbalanced', detail: `${entry.entryKey}: ${open[0]} differs by ${open[1]} minor units` };
}

function isSound({ account, debitMinor, creditMinor, currency }: JournalLine): boolean {
  const sides = [debitMinor, creditMinor];
  const oneSide = sides.every((side) => Number.isSafeInteger(side) && side >= 0) && sides.filter((side) => side > 0).length === 1;
  return oneSide && isAccountCode(account) && isCurrency(currency);
}
