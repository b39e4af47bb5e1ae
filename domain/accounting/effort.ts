import { lastOfMonth } from '../calendar/dates';
import { type LocalDate, type Month } from '../deal/terms';
import { divide, plus, times, type Decimal } from '../decimal';
import { type EffortFact } from '../engagement/model';
import { crossRate, type FxRate } from '../fx';
import { isViolation, type Violation } from '../violation';

/** Hours × cost rate of a month of work, summed in one currency, in major units. */
export interface CostOfMonth {
  readonly month: Month;
  readonly currency: string;
  readonly amount: Decimal;
}

/** An estimate to complete at a month end, in major units of `currency` (null: hours). */
export interface Forecast {
  readonly asOf: LocalDate;
  readonly toComplete: Decimal;
  readonly currency: string | null;
}

export interface Effort {
  readonly facts: readonly EffortFact[];
  /** Months without an estimate: they recognise nothing, the next estimate catches up. */
  readonly withoutEstimate: readonly Month[];
}

/** Digits to which cost in another currency is carried; percent complete is rounded only with the revenue it gives (S-26). */
const DIGITS = 24;

/** An amount in another currency at the rate of a date, not rounded to a minor unit (R-134, S-26). Refuses with `FxRateMissing`. */
export function costIn(amount: Decimal, from: string, to: string, rates: readonly FxRate[], date: LocalDate): Decimal | Violation {
  const rate = crossRate(rates, from, to, date);
  return isViolation(rate) ? rate : divide(times(amount, rate.numerator), rate.denominator, DIGITS, 'half-up');
}

/** Cost of time by month in the currency of the line, at the rate of the last day of the month of work (R-134, S-26). */
export function costByMonth(costs: readonly CostOfMonth[], currency: string, rates: readonly FxRate[]): Map<Month, Decimal> | Violation {
  const byMonth = new Map<Month, Decimal>();
  for (const { month, currency: from, amount } of costs) {
    const cost = costIn(amount, from, currency, rates, lastOfMonth(month));
    if (isViolation(cost)) return cost;
    byMonth.set(month, plus(byMonth.get(month) ?? '0', cost));
  }
  return byMonth;
}

/**
 * Effort to date and to complete at the end of each month (R-134, S-26, S-40). A month without an estimate keeps the effort of the month
 * before, so that it recognises nothing; before the first estimate there is none. Months after `lastEstimated` need none.
 */
export function effortToDate(
  months: readonly Month[],
  byMonth: ReadonlyMap<Month, Decimal>,
  estimates: ReadonlyMap<Month, Decimal>,
  lastEstimated: Month,
): Effort {
  let spent = [...byMonth].filter(([month]) => month < (months[0] ?? '')).reduce((total, [, cost]) => plus(total, cost), '0');
  let before = { toDate: '0', toComplete: '1' };
  const facts: EffortFact[] = [];
  const withoutEstimate: Month[] = [];
  for (const period of months) {
    spent = plus(spent, byMonth.get(period) ?? '0');
    const toComplete = estimates.get(period);
    if (toComplete !== undefined) before = { toDate: spent, toComplete };
    else if (period <= lastEstimated) withoutEstimate.push(period);
    facts.push({ period, ...before });
  }
  return { facts, withoutEstimate };
}
