import { monthOf } from '../calendar/dates';
import { type Month, type RetainerLine } from '../deal/terms';
import { money, type Money } from '../money';
import { isViolation, type Violation } from '../violation';
import { changeLine } from './change';
import { termsInMonth } from './dated-terms';
import { billedBefore, draftOfFee, periodOf } from './drafting';
import { openPoints } from './finish';
import { type FollowUp, type FollowUpFacts } from './follow-up';
import { type BillingFacts, type BillingPlanItem, type EngagementModel, type ReadinessBlocker, type RevenueFacts } from './model';
import { overageAmount, overageMonths, refuseWaiver, unsettledOverage } from './overage';
import { draftOfOverage, netOfOverage, overageFollowUp } from './overage-run';
import { blocked, commonBlockers, warned } from './readiness';
import { recogniseMonthly } from './revenue-monthly';
import { arrearsItems, byIssueDate, feeItems } from './schedule';
import { draftOfFeeCredit, feeCreditFollowUp } from './stop';

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
    if (item.kind === 'fee-credit') return draftOfFeeCredit(line, item, facts.fees);
    return item.kind === 'retainer-overage' ? draftOfOverage(line, item, facts) : draftOfFee(line, item, period);
  },
  recognise: (line, facts, asOf) => recogniseMonthly(line, facts, asOf, (month) => earnedOverage(line, facts, month)),
  change: (line, changes, facts) => changeLine(line, changes, CHANGEABLE, facts),
  finish: (line, facts) => [...openPoints(line, facts), ...unsettledOverage(line, facts)],
  followUp,
  waive: (line, waiver, facts) =>
    waiver.kind === 'overage'
      ? (refuseWaiver(line, facts, waiver.period, waiver.hours) ?? [])
      : { violation: 'NothingToWaive', detail: `a retainer has no ${waiver.kind}`, path: '/kind' },
};

/**
 * Unapproved time does not hold the run, which takes what is approved (S-10), but its approver is told; hours of a month whose fee must be
 * paid first hold the overage until it is (R-036, RULES: available only once its invoice is paid, or issued, by policy).
 */
function readiness(line: RetainerLine, item: BillingPlanItem, facts: BillingFacts): ReadinessBlocker[] {
  if (item.kind !== 'retainer-overage') return commonBlockers(line, item, facts, item.amount);
  const period = periodOf(item);
  const blockers = commonBlockers(line, item, facts, money(netOfOverage(line, item, facts), line.currency));
  const waiting = facts.time.filter((entry) => entry.approvedAt === null && entry.billable && monthOf(entry.workDate) === period);
  if (waiting.length > 0)
    blockers.push(warned('TimeNotApproved', 'project-manager', `approve or reject ${waiting.length} time entries of ${period}`));
  if (line.availability === 'on-payment' && !facts.settledItemKeys.includes(`fee/${period}`))
    blockers.push(
      blocked('RetainerNotAvailable', 'accounts-receivable', `collect the fee of ${period}: its hours are available when it is paid`),
    );
  return blockers;
}

/** Hours beyond the retainer are earned in the month of the work, those waived are not (R-181, S-28, S-40). */
function earnedOverage(line: RetainerLine, { time, waivedOverage }: RevenueFacts, period: Month): Money {
  const facts = { time, overage: { billed: [], waived: waivedOverage, runs: [] } };
  return overageAmount(termsInMonth(line, period), overageMonths(line, facts).find((month) => month.period === period)?.open ?? '0');
}

function followUp(line: RetainerLine, facts: FollowUpFacts): FollowUp | Violation {
  const overage = overageFollowUp(line, facts);
  if (isViolation(overage)) return overage;
  const fees = feeCreditFollowUp(line, facts);
  return isViolation(fees) ? fees : { items: [...overage.items, ...fees.items], open: overage.open };
}
