import { advanceIssueDate, arrearsIssueDate, runCutOff } from '../billing/dates';
import { addDays, addMonths, daysBetween, daysInMonth, firstOfMonth, lastOfMonth, monthOf, nextMonth } from '../calendar/dates';
import { isWorkingDay, type WorkingCalendar } from '../calendar/working-day';
import { atTime } from '../calendar/zone';
import { termMonths } from '../deal/amount';
import { type Instant, type LocalDate, type ManagedServiceLine, type Month, type RetainerLine, type ServiceAddOn } from '../deal/terms';
import { multiplyByRatio, sumMoney, type Money } from '../money';
import { isViolation, type Violation } from '../violation';
import { termsInMonth } from './dated-terms';
import { type Stopped } from './follow-up';
import { type BillingPlanItem, type PlanContext, type PlanTrigger } from './model';

/** A line with a fee for each calendar month. */
export type MonthlyLine = (ManagedServiceLine | RetainerLine) & Stopped;

/**
 * The fee items of a line, one for each calendar month it touches, in advance or in arrears as the line says (R-031, S-11, S-13).
 * Refuses a calendar without working days.
 */
export function feeItems(line: MonthlyLine, context: PlanContext): BillingPlanItem[] | Violation {
  const advance = line.billingMethod !== 'monthly-arrears';
  const items: BillingPlanItem[] = [];
  for (const period of termMonths(line)) {
    const trigger = advance ? advanceTrigger(period, context) : arrearsTrigger(period, context);
    if (isViolation(trigger)) return trigger;
    items.push({
      itemKey: `fee/${period}`,
      lineId: line.lineId,
      kind: advance ? 'advance-fee' : 'arrears-fee',
      period,
      trigger,
      reference: `${context.shortCode}-${line.lineId}-${period}`,
      amount: dueOfMonth(line, period),
    });
  }
  return items;
}

/** The items that follow what was used, one for each month, in arrears; `suffix` ends the reference (R-031, S-13). */
export function arrearsItems(
  line: MonthlyLine,
  context: PlanContext,
  kind: 'usage-settlement' | 'retainer-overage',
  keyPrefix: string,
  suffix: string,
): BillingPlanItem[] | Violation {
  const items: BillingPlanItem[] = [];
  for (const period of termMonths(line)) {
    const trigger = arrearsTrigger(period, context);
    if (isViolation(trigger)) return trigger;
    const reference = `${context.shortCode}-${line.lineId}-${period}-${suffix}`;
    items.push({ itemKey: `${keyPrefix}/${period}`, lineId: line.lineId, kind, period, trigger, reference, amount: null });
  }
  return items;
}

/** The next run whose cut-off has not passed, the month's own at the earliest: what comes late is billed there (R-180, S-10). */
export function nextRun(from: Month, context: PlanContext, at: Instant): PlanTrigger | Violation {
  const { timeZone } = context.sellingEntityCalendar;
  const recent = addMonths(monthOf(at.slice(0, 10)), -2);
  let month = from > recent ? from : recent;
  while (Date.parse(runCutOff(month, timeZone, context.cutOffDay)) <= Date.parse(at)) month = nextMonth(month);
  return arrearsTrigger(month, context);
}

/** Items in the order in which they are issued; those of one day stay as planned. */
export function byIssueDate(items: readonly BillingPlanItem[]): BillingPlanItem[] {
  const date = (item: BillingPlanItem): string => (item.trigger.kind === 'moment' ? item.trigger.issueDate : '');
  return [...items].sort((a, b) => (date(a) < date(b) ? -1 : date(a) > date(b) ? 1 : 0));
}

/** Monthly fee × days active / days in the calendar month, half-up; a whole month is the whole fee (R-032, S-18). */
export function feeOfMonth(line: MonthlyLine, month: Month): Money {
  const { monthlyFee } = termsInMonth(line, month);
  return multiplyByRatio(monthlyFee, String(activeDays(line, month)), String(daysInMonth(month)), 'half-up');
}

/** The fee of a month with those of the add-ons that are active in it (R-193, S-18). */
export function dueOfMonth(line: MonthlyLine, month: Month): Money {
  const addOns = addOnsOf(line).map((addOn) => feeOfAddOn(line, addOn, month));
  return sumMoney([feeOfMonth(line, month), ...addOns], line.currency);
}

/** Add-ons of a line; lines of other models have none. */
export function addOnsOf(line: MonthlyLine): readonly ServiceAddOn[] {
  return line.engagementModel === 'managed-service' ? (line.addOns ?? []) : [];
}

/** Fee of an add-on × days active / days in the calendar month, half-up; it is never active beyond the line (R-193, S-18). */
export function feeOfAddOn(line: MonthlyLine, addOn: ServiceAddOn, month: Month): Money {
  return multiplyByRatio(addOn.monthlyFee, String(activeDays(addOnTerm(line, addOn), month)), String(daysInMonth(month)), 'half-up');
}

/** The days of an add-on that lie inside the service of its line. */
export function addOnTerm(line: MonthlyLine, { serviceFrom, serviceTo }: ServiceAddOn): { startDate: LocalDate; endDate: LocalDate } {
  return {
    startDate: serviceFrom > line.startDate ? serviceFrom : line.startDate,
    endDate: serviceTo < line.endDate ? serviceTo : line.endDate,
  };
}

/** All fees of the term: what straight-line revenue spreads (R-032, S-28). */
export function totalFee(line: MonthlyLine): Money {
  return sumMoney(
    termMonths(line).map((month) => feeOfMonth(line, month)),
    line.currency,
  );
}

/** Days of a month on which the line is active, first and last day included. */
export function activeDays(line: { readonly startDate: LocalDate; readonly endDate: LocalDate }, month: Month): number {
  const from = line.startDate > firstOfMonth(month) ? line.startDate : firstOfMonth(month);
  const to = line.endDate < lastOfMonth(month) ? line.endDate : lastOfMonth(month);
  return from > to ? 0 : daysBetween(from, to) + 1;
}

function arrearsTrigger(month: Month, { sellingEntityCalendar, cutOffDay }: PlanContext): PlanTrigger | Violation {
  const issueDate = arrearsIssueDate(sellingEntityCalendar, month, cutOffDay);
  if (isViolation(issueDate)) return issueDate;
  return { kind: 'moment', draftAt: runCutOff(month, sellingEntityCalendar.timeZone, cutOffDay), issueDate };
}

/** Drafted some working days before the issue date, at the start of the working day, so that it can be approved in time. */
function advanceTrigger(month: Month, context: PlanContext): PlanTrigger | Violation {
  const calendar = context.sellingEntityCalendar;
  const issueDate = advanceIssueDate(calendar, month);
  if (isViolation(issueDate)) return issueDate;
  const draftOn = workingDaysBefore(calendar, issueDate, context.billingLeadWorkingDays);
  return { kind: 'moment', draftAt: atTime(draftOn, calendar.dayStart, calendar.timeZone), issueDate };
}

/** The date that lies `count` working days earlier; where the calendar goes no further back, the earliest date looked at. */
function workingDaysBefore(calendar: WorkingCalendar, date: LocalDate, count: number): LocalDate {
  const earliest = addDays(date, -(count * 7 + 31));
  let day = date;
  for (let left = count; left > 0 && day > earliest;) {
    day = addDays(day, -1);
    if (isWorkingDay(calendar, day)) left -= 1;
  }
  return day;
}
