import { type InvoiceDraft } from '../billing/invoice';
import { type TimeAndMaterialsLine } from '../deal/terms';
import { isViolation, type Violation } from '../violation';
import { termsInMonth, termsOn } from './dated-terms';
import { periodOf } from './drafting';
import { type BillingFacts, type BillingPlanItem, type TimeAndMaterialsFacts } from './model';
import { DEFAULT_SOFT_PERCENT, runUpToLimit, type LimitRun } from './not-to-exceed';
import { limitInForce } from './not-to-exceed-limit';
import { draftOfRun } from './time-and-materials-draft';
import { isTaken, windowOf } from './time-and-materials-plan';

/** A run of a month: its document, and what it leaves behind. */
export interface PeriodRun {
  readonly draft: InvoiceDraft | null;
  readonly limitRun: LimitRun;
}

/**
 * The run of a month (R-119 to R-123, S-08 to S-10, S-15): takes the time and the expenses of its window, bills time up to the limit in
 * force at the end of the month, and all expenses, also where there are no fees (S-47). Refuses with `LimitNotInForce`.
 */
export function periodRun(line: TimeAndMaterialsLine, item: BillingPlanItem, facts: BillingFacts): PeriodRun | Violation {
  const own = factsOf(facts);
  const before = lastRuns.get(own);
  if (before?.line === line && before.item === item) return before.run;
  const run = computedRun(line, item, facts);
  lastRuns.set(own, { line, item, run });
  return run;
}

/** Readiness, document and what the run leaves ask for the same run of the same facts one after the other. */
const lastRuns = new WeakMap<TimeAndMaterialsFacts, { line: TimeAndMaterialsLine; item: BillingPlanItem; run: PeriodRun | Violation }>();

function computedRun(line: TimeAndMaterialsLine, item: BillingPlanItem, facts: BillingFacts): PeriodRun | Violation {
  const { time, expenses, limits, billedFees, creditedFees, softLimitReported } = factsOf(facts);
  const window = windowOf(item);
  const inForce = limitInForce(limits, window.lastDay);
  if (isViolation(inForce)) return inForce;
  const queue = time.filter((entry) => isTaken(window, entry.workDate, entry.approvedAt));
  const limitRun = runUpToLimit({
    limit: inForce.limit,
    billedToDate: billedFees,
    ...(creditedFees === undefined ? {} : { creditedToDate: creditedFees }),
    queue,
    softPercent: termsOn(line, window.lastDay).capSoftPercent ?? DEFAULT_SOFT_PERCENT,
    softLimitReported,
  });
  const byId = new Map(queue.map((entry) => [entry.entryId, entry]));
  const parts = limitRun.billed.flatMap((part) => {
    const entry = byId.get(part.entryId);
    return entry === undefined ? [] : [{ ...part, personId: entry.personId, roleCode: entry.roleCode, unitPrice: entry.unitPrice }];
  });
  const taken = expenses
    .filter((expense) => isTaken(window, expense.spendDate, expense.approvedAt))
    .sort((a, b) => (a.spendDate === b.spendDate ? (a.expenseId < b.expenseId ? -1 : 1) : a.spendDate < b.spendDate ? -1 : 1));
  const period = periodOf(item);
  return { draft: draftOfRun(termsInMonth(line, period), item, period, parts, taken), limitRun };
}

/** The facts of a time-and-materials line; a caller that hands over none has a bug. */
export function factsOf(facts: BillingFacts): TimeAndMaterialsFacts {
  if (facts.timeAndMaterials === undefined) throw new RangeError('a time-and-materials line needs its time, expenses and limits');
  return facts.timeAndMaterials;
}
