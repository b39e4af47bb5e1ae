import { addDays, daysBetween, lastOfMonth, monthOf, monthsBetween } from '../calendar/dates';
import { termMonths } from '../deal/amount';
import { type LocalDate, type Month } from '../deal/terms';
import { addMoney, multiplyByRatio, subtractMoney, sumMoney, zeroMoney, type Money } from '../money';
import { type Violation } from '../violation';
import { termsOn } from './dated-terms';
import { type RevenueFacts, type RevenueMonth } from './model';
import { revenueMonths } from './revenue-position';
import { addOnsOf, addOnTerm, feeOfAddOn, totalFee, type MonthlyLine } from './schedule';

/**
 * Revenue of a line with monthly fees: the fees of the term by day, cumulative and half-up at each month end, so that the last month takes
 * the rest; what was used beyond them is added in the month it concerns (R-039, S-28). A changed fee moves the months from its day on, an
 * add-on has its own days. As-invoiced lines follow their documents. Refuses other methods with `RevenueMethodNotSupported`.
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
  const fees = feesToDate(line, months);
  const term = new Set(termMonths(line));
  let beyond = zeroMoney(line.currency);
  const cumulative = fees.map(({ period, toDate }) => {
    if (term.has(period)) beyond = addMoney(beyond, beyondFees(period));
    return { period, toDate: addMoney(toDate, beyond) };
  });
  return revenueMonths(cumulative, facts.billed, line.currency);
}

/**
 * Fees by day, and those of each add-on by its own days. What a contract version changed from a day on is prospective: what was earned until
 * then stands, and the rest is spread over the days that remain (R-196, RULES Revenue: modification).
 */
function feesToDate(line: MonthlyLine, months: readonly Month[]): { readonly period: Month; readonly toDate: Money }[] {
  const addOns = addOnsOf(line).map((addOn) => {
    const { startDate, endDate } = addOnTerm(line, addOn);
    const fees = monthsBetween(monthOf(startDate), monthOf(endDate)).map((month) => feeOfAddOn(line, addOn, month));
    return straightLine(sumMoney(fees, line.currency), startDate, endDate, months);
  });
  return baseFeesToDate(line, months).map(({ period, toDate }, index) => ({
    period,
    toDate: sumMoney([toDate, ...addOns.map((each) => each[index]?.toDate ?? zeroMoney(line.currency))], line.currency),
  }));
}

function baseFeesToDate(line: MonthlyLine, months: readonly Month[]): { readonly period: Month; readonly toDate: Money }[] {
  const changes = (line.earlier ?? []).filter((each) => 'monthlyFee' in each.terms).sort((a, b) => (a.before < b.before ? -1 : 1));
  const last = changes.at(-1);
  if (last === undefined) return straightLine(totalFee(line), line.startDate, line.endDate, months);
  const earlier = (line.earlier ?? []).filter((each) => each.before < last.before);
  const lastDay = addDays(last.before, -1);
  const before: MonthlyLine = { ...termsOn(line, lastDay), earlier };
  const until = baseFeesToDate(before, [...months, monthOf(lastDay)]);
  const earned = until.at(-1)?.toDate ?? zeroMoney(line.currency);
  const rest = straightLine(subtractMoney(totalFee(line), earned), last.before, line.endDate, months);
  return months.map((period, index) => ({
    period,
    toDate:
      period < monthOf(last.before) ? (until[index]?.toDate ?? earned) : addMoney(earned, rest[index]?.toDate ?? zeroMoney(line.currency)),
  }));
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
