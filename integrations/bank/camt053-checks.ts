import { at, optionalText, parseAmount, type Place, readCount, type StatementErrors } from './element-readers';
import { type BankEntry } from './statement';

interface Balance {
  readonly minor: number;
  readonly currency: string;
  readonly path: string;
}

/** What a statement says of itself and what it lists. */
export interface StatementFigures {
  readonly opening: Balance | null;
  readonly closing: Balance | null;
  readonly currency: string;
  readonly entries: readonly BankEntry[];
}

/** Opening + credits − debits = closing, exactly, and both balances in the currency of the account. */
export function checkBalance(place: Place, figures: StatementFigures, errors: StatementErrors): void {
  const { opening, closing, currency, entries } = figures;
  for (const balance of [opening, closing]) {
    if (balance !== null && balance.currency !== currency)
      errors.add('CurrencyMismatch', `${balance.path}/Amt`, `${balance.currency} in an account of ${currency}`);
  }
  if (opening === null || closing === null || opening.currency !== closing.currency) return;
  const computed = BigInt(opening.minor) + sumOf(entries, 'credit') - sumOf(entries, 'debit');
  if (computed !== BigInt(closing.minor)) {
    errors.add(
      'StatementUnbalanced',
      place.path,
      `opening and entries give ${computed} minor units, the closing balance is ${closing.minor}`,
    );
  }
}

/** Counts and sums of `TxsSummry`, where the bank states them, over booked entries. */
export function checkSummary(summary: Place, figures: StatementFigures, errors: StatementErrors): void {
  const { entries, currency } = figures;
  const credits = sumOf(entries, 'credit');
  const debits = sumOf(entries, 'debit');
  const counted = (direction: BankEntry['direction']) => entries.filter((entry) => entry.direction === direction).length;
  checkTotal(at(summary, 'TtlNtries'), { count: entries.length, sum: credits + debits, currency }, errors);
  checkTotal(at(summary, 'TtlCdtNtries'), { count: counted('credit'), sum: credits, currency }, errors);
  checkTotal(at(summary, 'TtlDbtNtries'), { count: counted('debit'), sum: debits, currency }, errors);
}

function checkTotal(place: Place, listed: { count: number; sum: bigint; currency: string }, errors: StatementErrors): void {
  const count = at(place, 'NbOfNtries');
  if (count.element !== undefined) {
    const stated = readCount(count, errors);
    if (stated !== null && stated !== listed.count)
      errors.add('SummaryMismatch', count.path, `states ${stated} entries, ${listed.count} are booked`);
  }
  const sum = optionalText(at(place, 'Sum'));
  if (sum === null) return;
  const stated = parseAmount(sum, listed.currency, `${place.path}/Sum`, errors);
  if (stated !== null && BigInt(stated.minor) !== listed.sum)
    errors.add('SummaryMismatch', `${place.path}/Sum`, `states ${stated.minor} minor units, the booked entries sum to ${listed.sum}`);
}

function sumOf(entries: readonly BankEntry[], direction: BankEntry['direction']): bigint {
  return entries.filter((entry) => entry.direction === direction).reduce((sum, entry) => sum + BigInt(entry.amount.minor), 0n);
}
