import { monthOf, monthsBetween } from '../calendar/dates';
import { type FixedFeeLine, type Month } from '../deal/terms';
import { compare, plus } from '../decimal';
import { allocate, multiplyByRatio, sumMoney, zeroMoney, type Money } from '../money';
import { isViolation, type Violation } from '../violation';
import { type RevenueFacts, type RevenueMonth } from './model';
import { invoicedToDate, straightLine } from './revenue-monthly';
import { revenueMonths } from './revenue-position';

type ToDate = readonly { readonly period: Month; readonly toDate: Money }[] | Violation;

/** Revenue of a fixed fee by the method of the line; the sum to date never exceeds the fee (R-039, S-26, I-10). */
export function recogniseFixedFee(line: FixedFeeLine, facts: RevenueFacts, asOf: Month): readonly RevenueMonth[] | Violation {
  const cumulative = toDate(line, facts, monthsBetween(monthOf(line.startDate), asOf));
  return isViolation(cumulative) ? cumulative : revenueMonths(cumulative, facts.billed, line.currency);
}

function toDate(line: FixedFeeLine, facts: RevenueFacts, months: readonly Month[]): ToDate {
  switch (line.revenueMethod) {
    case 'cost-to-cost':
    case 'hours-percent-complete':
      return byEffort(line, facts, months);
    case 'straight-line-daily':
      return straightLine(line.fixedFee, line.startDate, line.endDate, months);
    case 'milestone':
      return months.map((period) => ({ period, toDate: acceptedAmount(line, facts, period) }));
    case 'as-invoiced':
      return invoicedToDate(months, facts, line.currency);
    case 'completed-contract':
    case 'point-in-time':
      return months.map((period) => ({ period, toDate: allAccepted(line, facts, period) ? line.fixedFee : zeroMoney(line.currency) }));
  }
}

/**
 * Percent complete = effort to date / (to date + to complete), never rounded by itself; revenue to date = fee × percent, half-up (R-039,
 * S-26). A month of the service without an estimate is refused; after the end of the line the last estimate stands.
 */
function byEffort(line: FixedFeeLine, facts: RevenueFacts, months: readonly Month[]): ToDate {
  const stated = new Map(facts.effort.map((effort) => [effort.period, effort]));
  let last = { toDate: '0', toComplete: '0' };
  const cumulative: { period: Month; toDate: Money }[] = [];
  for (const period of months) {
    const effort = stated.get(period);
    if (effort === undefined && period <= monthOf(line.endDate))
      return { violation: 'EstimateToCompleteMissing', detail: `${line.lineId} ${period}` };
    last = effort ?? last;
    const total = plus(last.toDate, last.toComplete);
    const none = compare(total, '0') <= 0;
    cumulative.push({ period, toDate: none ? zeroMoney(line.currency) : multiplyByRatio(line.fixedFee, last.toDate, total, 'half-up') });
  }
  return cumulative;
}

function acceptedAmount(line: FixedFeeLine, facts: RevenueFacts, period: Month): Money {
  const parts = allocate(
    line.fixedFee,
    line.milestones.map((milestone) => milestone.percent),
  );
  return sumMoney(
    line.milestones.flatMap(({ milestoneId }, index) => (acceptedBy(facts, milestoneId, period) ? (parts[index] ?? []) : [])),
    line.currency,
  );
}

function allAccepted(line: FixedFeeLine, facts: RevenueFacts, period: Month): boolean {
  return line.milestones.every(({ milestoneId }) => acceptedBy(facts, milestoneId, period));
}

function acceptedBy(facts: RevenueFacts, milestoneId: string, period: Month): boolean {
  const on = facts.milestones.find((milestone) => milestone.milestoneId === milestoneId)?.acceptedOn ?? null;
  return on !== null && monthOf(on) <= period;
}
