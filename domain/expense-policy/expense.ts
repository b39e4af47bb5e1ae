import { type Instant, type LocalDate } from '../deal/terms';
import { type Decimal } from '../decimal';
import { type Money } from '../money';

export type ExpenseStatus = 'submitted' | 'approved' | 'rejected';

/** An expense as it was claimed. `recoverableTax` is part of `gross` and in its currency; `billable` is what the person stated. */
export interface Expense {
  readonly expenseId: string;
  readonly personId: string;
  readonly lineId: string;
  readonly spendDate: LocalDate;
  /** Country of the spend: its policy applies. */
  readonly country: string;
  readonly category: string;
  readonly quantity: Decimal;
  readonly unit: string;
  readonly gross: Money;
  readonly recoverableTax: Money;
  readonly receipt: boolean;
  readonly justification: string | null;
  readonly billable: boolean;
  readonly status: ExpenseStatus;
  readonly submittedAt: Instant;
  readonly approvedAt: Instant | null;
}

/** Policy of a country and category, in major units of `currency` for one `unit`; the first and the last day are included. */
export interface ExpensePolicy {
  readonly policyId: string;
  readonly country: string;
  readonly category: string;
  readonly currency: string;
  readonly unit: string;
  readonly limitPerUnit: Decimal | null;
  /** Per diem and mileage: neither more nor less. */
  readonly fixedRate: Decimal | null;
  /** Gross above which a receipt is needed; null where none is. */
  readonly receiptAbove: Decimal | null;
  readonly billableToCustomer: boolean;
  readonly validFrom: LocalDate;
  readonly validTo: LocalDate;
}

/** `POLICY_MISSING` and `FX_RATE_MISSING` come before what S-23 names: an expense that cannot be judged is not billed. */
export const EXPENSE_ERRORS = [
  'RECEIPT_MISSING',
  'OVER_LIMIT',
  'FIXED_RATE_MISMATCH',
  'DUPLICATE_EXPENSE',
  'CATEGORY_NOT_BILLABLE',
  'NOT_APPROVED',
  'POLICY_MISSING',
  'FX_RATE_MISSING',
] as const;
export const EXPENSE_WARNINGS = ['OVER_LIMIT_JUSTIFIED', 'LATE_EXPENSE'] as const;
export type ExpenseError = (typeof EXPENSE_ERRORS)[number];
export type ExpenseWarning = (typeof EXPENSE_WARNINGS)[number];

/** What the policy says about an expense: with an error it is neither billed nor a project cost, a warning does not stop it. */
export interface ExpenseReview {
  readonly expenseId: string;
  readonly errors: readonly ExpenseError[];
  readonly warnings: readonly ExpenseWarning[];
}
