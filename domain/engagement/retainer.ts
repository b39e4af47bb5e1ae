import { type InvoiceDraftLine } from '../billing/invoice';
import { monthOf } from '../calendar/dates';
import { type Month, type RetainerLine } from '../deal/terms';
import { compare, isZero, minus } from '../decimal';
import { multiplyMoney, toDecimal, type Money } from '../money';
import { isViolation } from '../violation';
import { changeLine } from './change';
import { billedBefore, draftOf, draftOfFee, periodOf } from './drafting';
import { drawdown, hoursByMonth, overageEntries, type DrawdownMonth } from './drawdown';
import { openPoints } from './finish';
import {
  type BillingFacts,
  type BillingPlanItem,
  type EngagementModel,
  type FinishFacts,
  type OpenPoint,
  type ReadinessBlocker,
  type TimeFact,
} from './model';
import { blocked, commonBlockers, warned } from './readiness';
import { recogniseMonthly } from './revenue-monthly';
import { arrearsItems, byIssueDate, feeItems } from './schedule';

const CHANGEABLE = ['endDate', 'monthlyFee', 'includedHoursPerMonth', 'overageRatePerHour', 'rollover.maxHours'];

/** Retainer: a monthly fee in advance, hours drawn down, overage in arrears (R-036, S-13, S-17). */
export const retainer: EngagementModel<RetainerLine> = {
  code: 'retainer',
  plan: (line, context) => {
    const fees = feeItems(line, context);
    if (isViolation(fees)) return fees;
    const overage = arrearsItems(line, context, 'retainer-overage', 'overage', 'OV');
    return isViolation(overage) ? overage : byIssueDate([...fees, ...overage]);
  },
  readiness,
  bill: (line, item, facts) => {
    const before = billedBefore(item, facts);
    if (before !== null) return before;
    const period = periodOf(item);
    return item.kind === 'retainer-overage'
      ? draftOf(item, line.currency, period, [overageLine(line, facts.time, period)])
      : draftOfFee(line, item, period);
  },
  recognise: (line, facts, asOf) => recogniseMonthly(line, facts, asOf, (month) => overageAmount(line, facts.time, month)),
  change: (line, changes, facts) => changeLine(line, changes, CHANGEABLE, facts),
  finish: (line, facts) => [...openPoints(line, facts), ...unbilledOverage(line, facts)],
};

/**
 * Unapproved time does not hold the run, which takes what is approved (S-10), but its approver is told; hours of a month whose fee must be
 * paid first hold the overage until it is (R-036, RULES: available only once its invoice is paid, or issued, by policy).
 */
function readiness(line: RetainerLine, item: BillingPlanItem, facts: BillingFacts): ReadinessBlocker[] {
  if (item.kind !== 'retainer-overage') return commonBlockers(line, item, facts, item.amount);
  const period = periodOf(item);
  const blockers = commonBlockers(line, item, facts, overageAmount(line, facts.time, period));
  const waiting = facts.time.filter((entry) => entry.approvedAt === null && entry.billable && monthOf(entry.workDate) === period);
  if (waiting.length > 0)
    blockers.push(warned('TimeNotApproved', 'project-manager', `approve or reject ${waiting.length} time entries of ${period}`));
  if (line.availability === 'on-payment' && !facts.settledItemKeys.includes(`fee/${period}`))
    blockers.push(
      blocked('RetainerNotAvailable', 'accounts-receivable', `collect the fee of ${period}: its hours are available when it is paid`),
    );
  return blockers;
}

function overageLine(line: RetainerLine, time: readonly TimeFact[], period: Month): InvoiceDraftLine {
  const month = monthOfDrawdown(line, time, period);
  return {
    description: `${line.name}, hours beyond the retainer ${period}`,
    quantity: month.overageHours,
    unit: 'hour',
    unitPrice: toDecimal(line.overageRatePerHour),
    amountMinor: overageAmount(line, time, period).minor,
    itemKind: 'time-entry',
    itemIds: overageEntries(time, month),
  };
}

function overageAmount(line: RetainerLine, time: readonly TimeFact[], period: Month): Money {
  return multiplyMoney(line.overageRatePerHour, monthOfDrawdown(line, time, period).overageHours, 'half-up');
}

function monthOfDrawdown(line: RetainerLine, time: readonly TimeFact[], period: Month): DrawdownMonth {
  const month = drawdown(line, hoursByMonth(time)).find((each) => each.period === period);
  if (month === undefined) throw new RangeError(`${period} is no month of ${line.lineId}`);
  return month;
}

/** Time approved after its overage was billed still counts in its month of work (S-40); somebody has to bill or waive it. */
function unbilledOverage(line: RetainerLine, facts: FinishFacts): OpenPoint[] {
  return drawdown(line, hoursByMonth(facts.time)).flatMap(({ period, overageHours }) => {
    const missing = minus(overageHours, facts.billedOverageHours[period] ?? '0');
    if (isZero(missing)) return [];
    const action = compare(missing, '0') > 0 ? `bill or waive ${missing} overage hours` : `credit ${minus('0', missing)} overage hours`;
    return [{ code: 'OverageNotBilled', stage: 'billing', subject: `${line.lineId}/${period}`, ownerRole: 'finance-controller', action }];
  });
}
