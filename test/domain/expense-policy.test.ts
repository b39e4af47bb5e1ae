import * as fc from 'fast-check';
import { expenseBilling, isExpenseBillable } from '../../domain/expense-policy/billed-amount';
import { type Expense, type ExpensePolicy } from '../../domain/expense-policy/expense';
import { reviewExpenses } from '../../domain/expense-policy/review';
import { type FxRate } from '../../domain/fx';
import { parseMoney, type Money } from '../../domain/money';
import { accepted, refusal } from './deal-builders';

const eur = (text: string): Money => accepted(parseMoney(text, 'EUR'));
const expense = (changes: Partial<Expense> = {}): Expense => ({
  expenseId: 'X-1',
  personId: 'P-1',
  lineId: 'L3',
  spendDate: '2026-03-04',
  country: 'DE',
  category: 'hotel',
  quantity: '2',
  unit: 'night',
  gross: eur('300.00'),
  recoverableTax: eur('0.00'),
  receipt: true,
  justification: null,
  billable: true,
  status: 'approved',
  submittedAt: '2026-03-10T09:00:00Z',
  approvedAt: '2026-03-12T09:00:00Z',
  ...changes,
});
const policy = (category: string, unit: string, changes: Partial<ExpensePolicy> = {}): ExpensePolicy => ({
  policyId: `EP-${category}`,
  country: 'DE',
  category,
  currency: 'EUR',
  unit,
  limitPerUnit: null,
  fixedRate: null,
  receiptAbove: null,
  billableToCustomer: true,
  validFrom: '2026-01-01',
  validTo: '2026-12-31',
  ...changes,
});
const POLICIES = [
  policy('hotel', 'night', { limitPerUnit: '150', receiptAbove: '0' }),
  policy('taxi', 'item', { receiptAbove: '20' }),
  policy('per_diem', 'day', { fixedRate: '28' }),
  policy('mileage', 'km', { fixedRate: '0.305' }),
  policy('entertainment', 'item', { billableToCustomer: false }),
];
const RATES: FxRate[] = [
  { date: '2026-03-03', base: 'EUR', quote: 'USD', rate: '1.1689' },
  { date: '2026-03-05', base: 'EUR', quote: 'USD', rate: '1.2' },
  { date: '2026-03-03', base: 'EUR', quote: 'JPY', rate: '181.37' },
];
const codes = (...expenses: Expense[]) =>
  reviewExpenses(expenses, { policies: POLICIES, fxRates: RATES, timeZoneOf: () => 'America/New_York' }).map(({ errors, warnings }) => [
    ...errors,
    ...warnings,
  ]);
const taxi = (changes: Partial<Expense>): Expense =>
  expense({ category: 'taxi', unit: 'item', quantity: '1', gross: eur('20.00'), ...changes });

describe('the policy of the country of spend', () => {
  test.each<[string, Expense, string[]]>([
    ['within the limit', expense(), []],
    ['above limit × quantity', expense({ gross: eur('300.01') }), ['OVER_LIMIT']],
    ['above the limit, justified', expense({ gross: eur('300.01'), justification: 'trade fair' }), ['OVER_LIMIT_JUSTIFIED']],
    ['a receipt is needed above the threshold', taxi({ receipt: false, gross: eur('20.01') }), ['RECEIPT_MISSING']],
    ['no receipt is needed at the threshold', taxi({ receipt: false }), []],
    ['no threshold, no receipt', expense({ category: 'per_diem', unit: 'day', gross: eur('56.00'), receipt: false }), []],
    ['a per diem of another amount', expense({ category: 'per_diem', unit: 'day', gross: eur('55.99') }), ['FIXED_RATE_MISMATCH']],
    ['mileage, half-up', expense({ category: 'mileage', unit: 'km', quantity: '11', gross: eur('3.36') }), []],
    [
      'mileage, rounded otherwise',
      expense({ category: 'mileage', unit: 'km', quantity: '11', gross: eur('3.35') }),
      ['FIXED_RATE_MISMATCH'],
    ],
    ['never billed to a customer', expense({ category: 'entertainment', unit: 'item' }), ['CATEGORY_NOT_BILLABLE']],
    ['submitted', expense({ status: 'submitted', approvedAt: null }), ['NOT_APPROVED']],
    [
      'a warning beside an error',
      taxi({ receipt: false, gross: eur('21.00'), submittedAt: '2026-06-01T00:00:00Z' }),
      ['RECEIPT_MISSING', 'LATE_EXPENSE'],
    ],
    ['no policy of that country', expense({ country: 'ZZ' }), ['POLICY_MISSING']],
    ['no policy in that unit', expense({ unit: 'week' }), ['POLICY_MISSING']],
    ['no policy on that day', expense({ spendDate: '2025-12-31', submittedAt: '2026-01-05T00:00:00Z' }), ['POLICY_MISSING']],
    ['another currency, converted at the spend date', expense({ gross: { minor: 35_067, currency: 'USD' } }), []], // 300.00
    ['another currency, above the limit', expense({ gross: { minor: 35_069, currency: 'USD' } }), ['OVER_LIMIT']], // 300.02
    ['another currency, without a rate', expense({ gross: { minor: 100, currency: 'CHF' } }), ['FX_RATE_MISSING']],
  ])('%s', (_, claimed, expected) => {
    expect(codes(claimed)).toEqual([expected]);
  });

  test.each([
    ['2026-05-04T03:59:00Z', []],
    ['2026-05-04T04:00:00Z', ['LATE_EXPENSE']],
  ])('an expense is late after 60 days, by the local date of the person: %s', (submittedAt, expected) => {
    expect(codes(expense({ submittedAt }))).toEqual([expected]);
  });

  test('rejected expenses are ignored, also as originals of duplicates', () => {
    expect(codes(expense({ status: 'rejected' }), expense({ expenseId: 'X-2' }))).toEqual([[]]);
  });

  test.each<[string, Partial<Expense>]>([
    ['person', { personId: 'P-2' }],
    ['date', { spendDate: '2026-03-05' }],
    ['gross', { gross: eur('299.00') }],
  ])('a duplicate has the same %s', (_, changes) => {
    expect(codes(expense({ expenseId: 'X-2' }), expense())).toEqual([['DUPLICATE_EXPENSE'], []]);
    expect(codes(expense({ expenseId: 'X-2', ...changes }), expense())).toEqual([[], []]);
  });
});

describe('what the customer pays', () => {
  test.each([
    ['USD', expense({ gross: eur('119.00'), recoverableTax: eur('19.00') }), 11_689],
    ['EUR', expense({ gross: eur('119.00'), recoverableTax: eur('19.00') }), 10_000],
    ['JPY', expense({ gross: { minor: 10_000, currency: 'USD' }, recoverableTax: { minor: 0, currency: 'USD' } }), 15_516], // 100 / 1.1689 × 181.37 = 15,516.297…
    ['USD', expense({ spendDate: '2026-03-05' }), 36_000],
  ])('in %s: gross less recoverable tax at the rate of the spend date', (currency, claimed, minor) => {
    expect(accepted(expenseBilling(currency, RATES)(claimed)).amount).toEqual({ minor, currency });
  });

  test('the rate comes with the day of its publication', () => {
    expect(accepted(expenseBilling('USD', RATES)(expense())).rate).toMatchObject({
      numerator: '1.1689',
      denominator: '1',
      asOf: '2026-03-03',
    });
  });

  test('without a rate it is refused, every time', () => {
    const billed = expenseBilling('CHF', RATES);
    expect([billed(expense()), billed(expense())].map(refusal)).toEqual(['FxRateMissing', 'FxRateMissing']);
  });

  test('is the same for one expense after another as for each alone', () => {
    const claims = fc.array(fc.tuple(fc.integer({ min: 0, max: 100_000 }), fc.constantFrom('EUR', 'USD', 'JPY')), { maxLength: 20 });
    fc.assert(
      fc.property(claims, (list) => {
        const together = expenseBilling('USD', RATES);
        for (const [minor, currency] of list) {
          const claimed = expense({ gross: { minor, currency }, recoverableTax: { minor: 0, currency } });
          expect(together(claimed)).toEqual(expenseBilling('USD', RATES)(claimed));
        }
      }),
    );
  });

  test.each<[string, Partial<Expense>, boolean, 'OVER_LIMIT' | null, boolean]>([
    ['approved and without error', {}, true, null, true],
    ['a line that bills no expenses', {}, false, null, false],
    ['an error', {}, true, 'OVER_LIMIT', false],
    ['not stated as billable', { billable: false }, true, null, false],
    ['not approved', { status: 'submitted' }, true, null, false],
  ])('billed: %s', (_, changes, line, error, expected) => {
    expect(isExpenseBillable(expense(changes), { errors: error === null ? [] : [error] }, line)).toBe(expected);
  });
});
