import { type LocalDate, type TimeAndMaterialsLine } from '../deal/terms';
import { compareMoney, formatMoney, money, sumMoney, type Money } from '../money';
import { isViolation, type Violation } from '../violation';
import { changeLine } from './change';
import { billedBefore } from './drafting';
import { openPoints } from './finish';
import {
  type BillingFacts,
  type BillingPlanItem,
  type ChangeFacts,
  type EngagementModel,
  type FinishFacts,
  type LineChange,
  type OpenPoint,
  type ReadinessBlocker,
  type WithheldItem,
} from './model';
import { remainderOf, type LimitRun } from './not-to-exceed';
import { blocked, commonBlockers, warned } from './readiness';
import { recogniseTimeAndMaterials } from './time-and-materials-revenue';
import { earlierRuns, planRuns, windowOf } from './time-and-materials-plan';
import { factsOf, periodRun } from './time-and-materials-run';

const CHANGEABLE = ['notToExceed', 'capSoftPercent', 'endDate', 'feeDiscountPercent'];

/** Time and materials: a run each month bills approved time and expenses, time up to a limit (R-119 to R-125, S-08 to S-16, S-27). */
export const timeAndMaterials: EngagementModel<TimeAndMaterialsLine> = {
  code: 'time-and-materials',
  plan: planRuns,
  readiness,
  bill: (line, item, facts) => {
    const before = billedBefore(item, facts);
    if (before !== null) return before;
    const run = periodRun(line, item, facts);
    return isViolation(run) ? run : run.draft;
  },
  run: (line, item, facts) => {
    const run = periodRun(line, item, facts);
    return isViolation(run) ? run : run.limitRun;
  },
  recognise: recogniseTimeAndMaterials,
  change,
  finish: (line, facts) => [...openPoints(line, facts), ...unbilled(line, facts)],
};

/** Who is told what about items that a run leaves out; without a rate of exchange the run waits, the rest is only shown (R-125, S-07). */
const WITHHELD: Readonly<Record<WithheldItem['reason'], readonly [string, string, (count: number) => string]>> = {
  'time-not-approved': ['TimeNotApproved', 'project-manager', (count) => `approve or reject ${count} time entries`],
  'time-blocked': ['TimeBlocked', 'project-manager', (count) => `cure the breaches of ${count} time entries`],
  'rate-unresolved': ['RateUnresolved', 'finance-controller', (count) => `agree the rate of ${count} time entries`],
  'expense-not-approved': ['ExpenseNotApproved', 'project-manager', (count) => `approve or reject ${count} expenses`],
  'expense-error': ['ExpenseInError', 'project-manager', (count) => `cure the errors of ${count} expenses`],
  'fx-rate-missing': ['FxRateMissing', 'finance-controller', (count) => `record the rates of exchange of ${count} expenses`],
};

function readiness(line: TimeAndMaterialsLine, item: BillingPlanItem, facts: BillingFacts): ReadinessBlocker[] {
  const { withheld, plannedItemKeys } = factsOf(facts);
  const earlier = earlierRuns(item, plannedItemKeys).map((key) =>
    blocked('EarlierRunOpen', 'finance-controller', `bill or void ${line.lineId} ${key} first`),
  );
  const run = periodRun(line, item, facts);
  const left = withheldBlockers(withheld, windowOf(item).lastDay);
  if (isViolation(run))
    return [blocked(run.violation, 'pmo-lead', run.detail), ...earlier, ...commonBlockers(line, item, facts, null), ...left];
  const net = run.draft === null ? null : run.draft.lines.reduce((total, each) => total + each.amountMinor, 0);
  return [
    ...earlier,
    ...commonBlockers(line, item, facts, net === null ? null : money(net, line.currency)),
    ...left,
    ...limitWarnings(line, run.limitRun),
  ];
}

function withheldBlockers(withheld: readonly WithheldItem[], lastDay: LocalDate): ReadinessBlocker[] {
  const counts = new Map<WithheldItem['reason'], number>();
  for (const { reason, date } of withheld) if (date <= lastDay) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return [...counts].map(([reason, count]) => {
    const [code, ownerRole, action] = WITHHELD[reason];
    return (reason === 'fx-rate-missing' ? blocked : warned)(code, ownerRole, action(count));
  });
}

function limitWarnings(line: TimeAndMaterialsLine, { parkedAfter, softLimitReachedBy }: LimitRun): ReadinessBlocker[] {
  const warnings: ReadinessBlocker[] = [];
  if (softLimitReachedBy !== null)
    warnings.push(
      warned('SoftLimitReached', 'project-manager', `${line.capSoftPercent} % of the limit are reached by ${softLimitReachedBy}`),
    );
  if (parkedAfter.minor > 0)
    warnings.push(warned('LimitReached', 'project-manager', `raise a change order: ${written(parkedAfter)} is parked`));
  return warnings;
}

/** A limit may rise or fall, but not below the fees that are billed (R-125, S-15). */
function change(line: TimeAndMaterialsLine, changes: readonly LineChange[], facts: ChangeFacts): TimeAndMaterialsLine | Violation {
  const changed = changeLine(line, changes, CHANGEABLE, facts);
  if (isViolation(changed)) return changed;
  const billed = facts.billedFees ?? facts.billedToDate;
  if (changed.notToExceed !== null && compareMoney(changed.notToExceed, billed) < 0)
    return { violation: 'LimitBelowBilled', detail: `${written(billed)} is billed`, path: 'notToExceed' };
  return changed;
}

/** Nothing billable is forgotten: time and expenses are billed or waived, and somebody decides about what is parked. */
function unbilled(line: TimeAndMaterialsLine, facts: FinishFacts): OpenPoint[] {
  if (facts.timeAndMaterials === undefined) throw new RangeError(`${line.lineId} needs its unbilled time and expenses`);
  const { time, expenses } = facts.timeAndMaterials;
  const left = time.map((entry) => ({ parked: entry.parked, amount: remainderOf(entry).amount }));
  const parked = left.filter((entry) => entry.parked).map((entry) => entry.amount);
  const waiting = left.filter((entry) => !entry.parked).map((entry) => entry.amount);
  const spent = expenses.map((expense) => expense.amount);
  return [
    ...point(line, 'ParkedTimeUndecided', parked, (sum) => `have the limit raised for the parked ${sum}, or waive it`),
    ...point(line, 'TimeNotBilled', waiting, (sum) => `bill or waive ${sum} of approved time`),
    ...point(line, 'ExpenseNotBilled', spent, (sum) => `bill or waive ${sum} of approved expenses`),
  ];
}

function point(line: TimeAndMaterialsLine, code: string, amounts: readonly Money[], action: (sum: string) => string): OpenPoint[] {
  if (amounts.every((amount) => amount.minor === 0)) return [];
  const sum = written(sumMoney(amounts, line.currency));
  return [{ code, stage: 'billing', subject: line.lineId, ownerRole: 'finance-controller', action: action(sum) }];
}

function written(amount: Money): string {
  return `${formatMoney(amount)} ${amount.currency}`;
}
