import { arrearsIssueDate, runCutOff } from '../billing/dates';
import { addMonths, lastOfMonth, monthOf, monthsBetween, nextMonth } from '../calendar/dates';
import { compareInstants, localDateOf } from '../calendar/zone';
import { type DealTerms, type Instant, type LocalDate, type Month, type TimeAndMaterialsLine } from '../deal/terms';
import { isViolation, type Violation } from '../violation';
import { type BillingPlanItem, type PlanContext, type PlanTrigger } from './model';
import { nextRun } from './schedule';

const KEY_PREFIX = 'run/';

/**
 * The months that are run for every time-and-materials line of a deal: from the first of the deal to the one after delivery ends, which is
 * the last end of the lines other than managed services; the last run takes what was approved late (R-119, S-10, S-47).
 */
export function runMonths(deal: Pick<DealTerms, 'startDate' | 'lines'>): { readonly first: Month; readonly last: Month } {
  const delivered = deal.lines.filter((line) => line.engagementModel !== 'managed-service');
  const first = [deal.startDate, ...delivered.map((line) => line.startDate)].reduce((a, b) => (b < a ? b : a));
  const last = delivered.map((line) => line.endDate).reduce((a, b) => (b > a ? b : a), deal.startDate);
  return { first: monthOf(first), last: nextMonth(monthOf(last)) };
}

/**
 * One run for each month, drafted at its cut-off and issued in arrears (R-119, S-10, S-11, S-13). Refuses a calendar without working days.
 */
export function planRuns(line: TimeAndMaterialsLine, context: PlanContext): BillingPlanItem[] | Violation {
  const { sellingEntityCalendar: calendar, cutOffDay, shortCode } = context;
  const { first, last } = context.runs ?? { first: monthOf(line.startDate), last: nextMonth(monthOf(line.endDate)) };
  const items: BillingPlanItem[] = [];
  for (const period of monthsBetween(first, last)) {
    const issueDate = arrearsIssueDate(calendar, period, cutOffDay);
    if (isViolation(issueDate)) return issueDate;
    const draftAt = runCutOff(period, calendar.timeZone, cutOffDay);
    items.push(runOf(line, shortCode, period, { kind: 'moment', draftAt, issueDate }));
  }
  return items;
}

/**
 * A run that finance asks for when something is left after the planned ones: of the next month whose cut-off has not passed.
 * Where that month is planned already, it is that item.
 */
export function extraRun(line: TimeAndMaterialsLine, context: PlanContext, at: Instant): BillingPlanItem | Violation {
  const trigger = nextRun(monthOf(line.startDate), context, at);
  if (isViolation(trigger)) return trigger;
  if (trigger.kind !== 'moment') throw new RangeError('a run has a moment');
  const period = addMonths(monthOf(localDateOf(trigger.draftAt, context.sellingEntityCalendar.timeZone)), -1);
  return runOf(line, context.shortCode, period, trigger);
}

function runOf(line: TimeAndMaterialsLine, shortCode: string, period: Month, trigger: PlanTrigger): BillingPlanItem {
  const reference = `${shortCode}-${line.lineId}-${period}`;
  return { itemKey: `${KEY_PREFIX}${period}`, lineId: line.lineId, kind: 'period-run', period, trigger, reference, amount: null };
}

/** What a run may take: dated up to the end of its month, approved before its cut-off (R-119, S-10). */
export interface RunWindow {
  readonly lastDay: LocalDate;
  readonly cutOff: Instant;
}

/** The window of a planned run. An item that is no run is a bug of the caller. */
export function windowOf(item: BillingPlanItem): RunWindow {
  if (item.kind !== 'period-run' || item.period === null || item.trigger.kind !== 'moment')
    throw new RangeError(`${item.itemKey} is no run of a month`);
  return { lastDay: lastOfMonth(item.period), cutOff: item.trigger.draftAt };
}

/** True for an item of the run; what comes later goes to the next one (R-119, S-10). */
export function isTaken({ lastDay, cutOff }: RunWindow, date: LocalDate, approvedAt: Instant): boolean {
  return date <= lastDay && compareInstants(approvedAt, cutOff) < 0;
}

/** Runs of earlier months that are still planned: runs go one after the other, because each takes what the one before left. */
export function earlierRuns(item: BillingPlanItem, plannedItemKeys: readonly string[]): string[] {
  return plannedItemKeys.filter((key) => key.startsWith(KEY_PREFIX) && key < item.itemKey).sort();
}
