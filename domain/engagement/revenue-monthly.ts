import { daysBetween, lastOfMonth, monthOf, monthsBetween } from '../calendar/dates';
import { termMonths } from '../deal/amount';
import { type LocalDate, type Month } from '../deal/terms';
import { addMoney, multiplyByRatio, sumMoney, zeroMoney, type Money } from '../money';
import { type Violation } from '../violation';
import { type RevenueFacts, type RevenueMonth } from './model';
import { revenueMonths } from './revenue-position';
import { totalFee, type MonthlyLine } from './schedule';

/**
 * Revenue of a line with monthly fees: the fees of the term by day, cumulative and half-up at each month end, so that the last month takes
 * the rest; what was used beyond them is added in the month it concerns (R-039, S-28). As-invoiced lines follow their documents. Refuses
 * other methods with `RevenueMethodNotSupported`.
 */
export function recogniseMonthly(
  line: MonthlyLine,
  facts: RevenueFacts,
  asOf: Month,
  beyondFees: (month: Month) => Money,
): readonly RevenueMonth[] | Violation {
  const months = monthsBetween(monthOf(line.startDate), asOf);
  if (line.revenueMethod === 'as-invoiced') return revenueMonths(invoicedToDate(months, facts, line.currency), facts.billed, line.currency);
  if (line.revenueMethod !== 'straight-line-daily')
    return { violation: 'RevenueMethodNotSupported', detail: `${line.revenueMethod} for a ${line.engagementModel} line` };
  const fees = straightLine(totalFee(line), line.startDate, line.endDate, months);
  const term = new Set(termMonths(line));
  let beyond = zeroMoney(line.currency);
  const cumulative = fees.map(({ period, toDate }) => {
    if (term.has(period)) beyond = addMoney(beyond, beyondFees(period));
    return { period, toDate: addMoney(toDate, beyond) };
  });
  return revenueMonths(cumulative, facts.billed, line.currency);
}

/** Total × days passed / days of service at the end of each month, half-up; days are counted with the first and the last (R-039, S-28). */
export function straightLine(
  total: Money,
  startDate: LocalDate,
  endDate: LocalDate,
  months: readonly Month[],
): { readonly period: Month; readonly toDate: Money }[] {
  const days = Math.max(1, daysBetween(startDate, endDate) + 1); // a line stopped before it began has none
  return months.map((period) => {
    const last = lastOfMonth(period) < endDate ? lastOfMonth(period) : endDate;
    const passed = Math.max(0, daysBetween(startDate, last) + 1);
    return { period, toDate: multiplyByRatio(total, String(passed), String(days), 'half-up') };
  });
}

/** Revenue that follows the documents, by the month of their issue (R-039, RULES Revenue: as-invoiced). */
export function invoicedToDate(
  months: readonly Month[],
  facts: RevenueFacts,
  currency: string,
): { readonly period: Month; readonly toDate: Money }[] {
  return months.map((period) => ({
    period,
    toDate: sumMoney(
      facts.billed.filter((document) => document.period <= period).map((document) => document.amount),
      currency,
    ),
  }));
}
