import { convert, crossRate, type CrossRate, type FxRate } from '../fx';
import { subtractMoney, type Money } from '../money';
import { isViolation, type Violation } from '../violation';
import { type Expense, type ExpenseReview } from './expense';

/** What an expense costs the customer, with the rate it was converted at, to be stored with source and date (RULES: FX). */
export interface BilledExpense {
  readonly amount: Money;
  readonly rate: CrossRate;
}

/**
 * Gross less recoverable tax, in the currency of the line at the rate of the spend date, rounded half-up for each expense; no markup
 * (R-118, S-24, S-25). Refuses with `FxRateMissing`. The function returned keeps the rates of a currency and a date, because many expenses
 * share them.
 */
export function expenseBilling(currency: string, fxRates: readonly FxRate[]): (expense: Expense) => BilledExpense | Violation {
  const rates = new Map<string, CrossRate | Violation>();
  return ({ gross, recoverableTax, spendDate }) => {
    const key = `${gross.currency}|${spendDate}`;
    const rate = rates.get(key) ?? crossRate(fxRates, gross.currency, currency, spendDate);
    rates.set(key, rate);
    if (isViolation(rate)) return rate;
    return { amount: convert(subtractMoney(gross, recoverableTax), rate, 'half-up'), rate };
  };
}

/** Expenses are billed on lines that say so, when approved, stated as billable and free of errors (R-118, S-07, S-23, S-24). */
export function isExpenseBillable(
  expense: Pick<Expense, 'status' | 'billable'>,
  review: Pick<ExpenseReview, 'errors'>,
  expensesBillable: boolean,
): boolean {
  return expensesBillable && expense.billable && expense.status === 'approved' && review.errors.length === 0;
}
