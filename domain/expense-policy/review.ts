import { addDays } from '../calendar/dates';
import { localDateOf } from '../calendar/zone';
import { compare, times } from '../decimal';
import { convert, crossRate, type FxRate } from '../fx';
import { roundToMoney, toDecimal, type Money } from '../money';
import { isViolation, type Violation } from '../violation';
import { type Expense, type ExpenseError, type ExpensePolicy, type ExpenseReview, type ExpenseWarning } from './expense';

/** What the review needs beside the expenses; `timeZoneOf` is the zone of a person's calendar, the rates turn other currencies into the policy's. */
export interface ExpenseReviewContext {
  readonly policies: readonly ExpensePolicy[];
  readonly fxRates: readonly FxRate[];
  readonly timeZoneOf: (personId: string) => string;
}

/** Days after the spend within which an expense is handed in (S-23). */
const LATE_AFTER_DAYS = 60;

/**
 * Judges expenses by the policy of the country of spend (R-117, S-23, S-39). Rejected ones are left out everywhere (S-22). Warnings are
 * given beside errors. The limits of a policy apply to gross amounts in its currency: other currencies are converted at the spend date.
 */
export function reviewExpenses(expenses: readonly Expense[], context: ExpenseReviewContext): ExpenseReview[] {
  const counted = expenses.filter((expense) => expense.status !== 'rejected');
  const duplicates = duplicateExpenses(counted);
  const policies = policiesByKey(context.policies);
  return counted.map((expense) => {
    const policy = policyFor(expense, policies);
    const judged = policy === null ? unjudged('POLICY_MISSING') : againstPolicy(expense, policy, context.fxRates);
    return {
      expenseId: expense.expenseId,
      errors: [
        ...judged.errors,
        ...when(duplicates.has(expense.expenseId), 'DUPLICATE_EXPENSE' as const),
        ...when(expense.status === 'submitted', 'NOT_APPROVED' as const),
      ],
      warnings: [...judged.warnings, ...when(isLate(expense, context), 'LATE_EXPENSE' as const)],
    };
  });
}

/** Expenses with the person, date, category, country, currency and gross of one with a lower id (R-117, S-23). */
export function duplicateExpenses(expenses: readonly Expense[]): ReadonlySet<string> {
  const lowest = new Map<string, string>();
  const duplicates = new Set<string>();
  for (const { expenseId, personId, spendDate, category, country, gross } of expenses) {
    const key = `${personId}|${spendDate}|${category}|${country}|${gross.currency}|${gross.minor}`;
    const before = lowest.get(key);
    if (before !== undefined) duplicates.add(before < expenseId ? expenseId : before);
    if (before === undefined || expenseId < before) lowest.set(key, expenseId);
  }
  return duplicates;
}

type Judged = Pick<ExpenseReview, 'errors' | 'warnings'>;

function againstPolicy(expense: Expense, policy: ExpensePolicy, fxRates: readonly FxRate[]): Judged {
  const gross = inCurrency(expense.gross, policy.currency, fxRates, expense.spendDate);
  if (isViolation(gross)) return unjudged('FX_RATE_MISSING');
  const { receiptAbove, limitPerUnit, fixedRate } = policy;
  const above = (limit: string): boolean => compare(toDecimal(gross), limit) > 0;
  const overLimit = limitPerUnit !== null && above(times(limitPerUnit, expense.quantity));
  const fixed = fixedRate === null ? null : roundToMoney(times(fixedRate, expense.quantity), policy.currency, 'half-up');
  const errors: ExpenseError[] = [
    ...when(!expense.receipt && receiptAbove !== null && above(receiptAbove), 'RECEIPT_MISSING' as const),
    ...when(overLimit && expense.justification === null, 'OVER_LIMIT' as const),
    ...when(fixed !== null && (fixed.minor !== gross.minor || expense.gross.currency !== policy.currency), 'FIXED_RATE_MISMATCH' as const),
    ...when(!policy.billableToCustomer, 'CATEGORY_NOT_BILLABLE' as const),
  ];
  const warnings: ExpenseWarning[] = when(overLimit && expense.justification !== null, 'OVER_LIMIT_JUSTIFIED');
  return { errors, warnings };
}

/** The policy for country, category and unit on the spend date; of several the one that came into force last. */
function policyFor(expense: Expense, policies: ReadonlyMap<string, readonly ExpensePolicy[]>): ExpensePolicy | null {
  const valid = (policies.get(keyOf(expense)) ?? []).filter(
    (policy) => policy.validFrom <= expense.spendDate && expense.spendDate <= policy.validTo,
  );
  return valid.reduce<ExpensePolicy | null>((last, each) => (last === null || each.validFrom > last.validFrom ? each : last), null);
}

function policiesByKey(policies: readonly ExpensePolicy[]): Map<string, ExpensePolicy[]> {
  const byKey = new Map<string, ExpensePolicy[]>();
  for (const policy of policies) byKey.set(keyOf(policy), [...(byKey.get(keyOf(policy)) ?? []), policy]);
  return byKey;
}

function keyOf({ country, category, unit }: { readonly country: string; readonly category: string; readonly unit: string }): string {
  return `${country}|${category}|${unit}`;
}

function isLate(expense: Expense, { timeZoneOf }: ExpenseReviewContext): boolean {
  return localDateOf(expense.submittedAt, timeZoneOf(expense.personId)) > addDays(expense.spendDate, LATE_AFTER_DAYS);
}

function inCurrency(amount: Money, currency: string, rates: readonly FxRate[], date: string): Money | Violation {
  if (amount.currency === currency) return amount;
  const rate = crossRate(rates, amount.currency, currency, date);
  return isViolation(rate) ? rate : convert(amount, rate, 'half-up');
}

function unjudged(error: ExpenseError): Judged {
  return { errors: [error], warnings: [] };
}

function when<Code>(found: boolean, code: Code): Code[] {
  return found ? [code] : [];
}
