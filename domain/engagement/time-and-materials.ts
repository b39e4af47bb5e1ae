import { type TimeAndMaterialsLine } from '../deal/terms';
import { compareMoney, formatMoney, money, type Money } from '../money';
import { isViolation, type Violation } from '../violation';
import { changeLine } from './change';
import { billedBefore } from './drafting';
import { openPoints } from './finish';
import {
  type BillingFacts,
  type BillingPlanItem,
  type ChangeFacts,
  type EngagementModel,
  type LineChange,
  type ReadinessBlocker,
} from './model';
import { DEFAULT_SOFT_PERCENT, type LimitRun } from './not-to-exceed';
import { blocked, commonBlockers, warned } from './readiness';
import { isRunPlanned, unbilledPoints } from './time-and-materials-finish';
import { recogniseTimeAndMaterials } from './time-and-materials-revenue';
import { earlierRuns, planRuns, windowOf } from './time-and-materials-plan';
import { factsOf, periodRun } from './time-and-materials-run';
import { withheldBlockers } from './time-and-materials-withheld';
import { waivedItems } from './waiver';

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
  finish: (line, facts) => [...openPoints(line, facts), ...unbilledPoints(line, facts)],
  followUp: (line, facts) => ({ items: [], open: isRunPlanned(facts) ? [] : unbilledPoints(line, facts) }),
  waive: waivedItems,
};

function readiness(line: TimeAndMaterialsLine, item: BillingPlanItem, facts: BillingFacts): ReadinessBlocker[] {
  const { withheld, plannedItemKeys } = factsOf(facts);
  const earlier = earlierRuns(item, plannedItemKeys).map((key) =>
    blocked('EarlierRunOpen', 'finance-controller', `bill or void ${line.lineId} ${key} first`),
  );
  const run = periodRun(line, item, facts);
  const left = withheldBlockers(withheld.filter((each) => each.date <= windowOf(item).lastDay));
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

function limitWarnings(line: TimeAndMaterialsLine, { parkedAfter, softLimitReachedBy }: LimitRun): ReadinessBlocker[] {
  const warnings: ReadinessBlocker[] = [];
  if (softLimitReachedBy !== null)
    warnings.push(
      warned(
        'SoftLimitReached',
        'project-manager',
        `${line.capSoftPercent ?? DEFAULT_SOFT_PERCENT} % of the limit are reached by ${softLimitReachedBy}`,
      ),
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

function written(amount: Money): string {
  return `${formatMoney(amount)} ${amount.currency}`;
}
