import { calendarOf } from './document';
import { addDays, localDate } from './days';
import { type Exchange } from './exchange';
import { type Row } from './folder';
import { compare, fraction, inMinor, minus, rounded, times, whole } from './fraction';
import { covers } from './pricing';
import { personOf } from './time';
import { type WholeFolder } from './whole-folder';

export interface CheckedExpense {
  readonly row: Row;
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
}

/**
 * Expenses that are not rejected, each once, with their errors and warnings (S-22, S-23, S-39). Where the rules are silent: an expense
 * without a policy of its country and category has none of the breaches that a policy defines; gross and limits compare in the currency
 * of the policy, converted without rounding at the spend date; all errors of a duplicate are reported.
 */
export function checkedExpenses(folder: WholeFolder, exchange: Exchange): CheckedExpense[] {
  const known = new Map<string | undefined, Row>();
  for (const row of folder.expenses) if (row.status !== 'rejected' && !known.has(row.expense_id)) known.set(row.expense_id, row);
  const rows = [...known.values()].sort((a, b) => ((a.expense_id ?? '') < (b.expense_id ?? '') ? -1 : 1));
  const first = new Map<string, string | undefined>();
  for (const row of rows) if (!first.has(sameExpense(row))) first.set(sameExpense(row), row.expense_id);
  return rows.map((row) => {
    const { errors, warnings } = againstPolicy(folder, exchange, row);
    if (first.get(sameExpense(row)) !== row.expense_id) errors.push('DUPLICATE_EXPENSE');
    if (row.status === 'submitted') errors.push('NOT_APPROVED');
    const { timeZone } = calendarOf(folder, personOf(folder, row.person_id).calendar_id ?? '');
    if (localDate(row.submitted_at ?? '', timeZone) > addDays(row.spend_date ?? '', 60)) warnings.push('LATE_EXPENSE');
    return { row, errors, warnings };
  });
}

const sameExpense = (row: Row): string =>
  [row.person_id, row.spend_date, row.category, row.country, row.currency, Number(row.amount_gross)].join('|');

function againstPolicy(folder: WholeFolder, exchange: Exchange, row: Row): { errors: string[]; warnings: string[] } {
  const day = row.spend_date ?? '';
  const policy = folder.expensePolicies.find((each) => each.country === row.country && each.category === row.category && covers(each, day));
  const errors: string[] = [];
  const warnings: string[] = [];
  if (!policy) return { errors, warnings };
  const currency = policy.currency ?? '';
  const gross = exchange(fraction(row.amount_gross ?? ''), row.currency ?? '', currency, day);
  const above = (limit: string, count = '1'): boolean => compare(gross, times(fraction(limit), fraction(count))) > 0;
  if (policy.receipt_above && row.receipt !== 'Y' && above(policy.receipt_above)) errors.push('RECEIPT_MISSING');
  if (policy.limit_per_unit && above(policy.limit_per_unit, row.quantity)) {
    if (row.justification === '') errors.push('OVER_LIMIT');
    else warnings.push('OVER_LIMIT_JUSTIFIED');
  }
  if (policy.fixed_rate) {
    const due = rounded(inMinor(times(fraction(policy.fixed_rate), fraction(row.quantity ?? '')), currency), 'half-up');
    if (compare(inMinor(gross, currency), whole(due)) !== 0) errors.push('FIXED_RATE_MISMATCH');
  }
  if (policy.billable_to_customer === 'N') errors.push('CATEGORY_NOT_BILLABLE');
  return { errors, warnings };
}

/** Gross less recoverable tax at the rate of the spend date, half-up per expense, in minor units of the target currency (S-24, S-26). */
export function netOf(row: Row, exchange: Exchange, currency: string): bigint {
  const net = minus(fraction(row.amount_gross ?? ''), fraction(row.recoverable_tax === '' ? '0' : (row.recoverable_tax ?? '0')));
  return rounded(inMinor(exchange(net, row.currency ?? '', currency, row.spend_date ?? ''), currency), 'half-up');
}
