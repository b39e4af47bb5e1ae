import { type InvoiceDraft } from '../billing/invoice';
import { monthOf, nextMonth } from '../calendar/dates';
import { type LineTerms, type LocalDate, type Month } from '../deal/terms';
import { subtractMoney, sumMoney, type Money } from '../money';
import { isViolation, type Violation } from '../violation';
import { draftOf, periodOf } from './drafting';
import { type FeeDocument, type FollowUp, type FollowUpFacts, type Stopped } from './follow-up';
import { type BillingPlanItem } from './model';
import { dueOfMonth, nextRun, type MonthlyLine } from './schedule';

/**
 * A line as a cancellation left it (R-182, I-13): a monthly line ends on the day on which it was stopped, so its last fee, its revenue and
 * its months follow; other lines bill what was accepted, whatever their dates. A stop after the term changes nothing.
 */
export function asStopped<Line extends LineTerms>(line: Line, stoppedOn: LocalDate | null): Line & Stopped {
  const isMonthly = line.engagementModel === 'managed-service' || line.engagementModel === 'retainer';
  if (stoppedOn === null || !isMonthly || stoppedOn >= line.endDate) return line;
  const stopped: Stopped & Pick<LineTerms, 'endDate'> = { endDate: stoppedOn, stoppedOn };
  return { ...line, ...stopped };
}

/**
 * The last month for which a line bills something after it was stopped: that of the stop, and where time is billed in arrears
 * one month more, because what was worked until then may be approved after its cut-off.
 */
export function lastPeriodAfterStop(engagementModel: string, stoppedOn: LocalDate): Month {
  const month = monthOf(stoppedOn);
  return engagementModel === 'time-and-materials' ? nextMonth(month) : month;
}

/** Fees on issued documents beyond what the days of service come to, by month (R-182, S-18). */
export function unearnedFees(line: MonthlyLine, fees: readonly FeeDocument[]): { readonly period: Month; readonly amount: Money }[] {
  if (line.stoppedOn === undefined) return [];
  const issued = fees.filter((fee) => fee.issued);
  const periods = [...new Set(issued.map((fee) => fee.period))].sort();
  return periods.flatMap((period) => {
    const billed = issued.filter((fee) => fee.period === period).map((fee) => fee.amount);
    const amount = subtractMoney(sumMoney(billed, line.currency), dueOfMonth(line, period));
    return amount.minor > 0 ? [{ period, amount }] : [];
  });
}

/** One credit note of the final settlement takes back the unearned part of fees that were issued in advance (R-182, S-11, S-13). */
export function feeCreditFollowUp(line: MonthlyLine, { fees, items, context, at }: FollowUpFacts): FollowUp | Violation {
  const { stoppedOn } = line;
  const isPlanned = items.some((item) => item.kind === 'fee-credit');
  if (stoppedOn === undefined || isPlanned || unearnedFees(line, fees).length === 0) return { items: [], open: [] };
  const period = monthOf(stoppedOn);
  const trigger = nextRun(period, context, at);
  if (isViolation(trigger)) return trigger;
  const reference = `${context.shortCode}-${line.lineId}-${period}-UF`;
  return {
    items: [{ itemKey: `fee-credit/${period}`, lineId: line.lineId, kind: 'fee-credit', period, trigger, reference, amount: null }],
    open: [],
  };
}

/** The credit note of unearned fees, a line for each month; null where nothing is left to credit. */
export function draftOfFeeCredit(line: MonthlyLine, item: BillingPlanItem, fees: readonly FeeDocument[]): InvoiceDraft | null {
  return draftOf(
    item,
    line.currency,
    periodOf(item),
    unearnedFees(line, fees).map(({ period, amount }) => ({
      description: `${line.name}, fee of ${period} beyond the service, which ended on ${line.stoppedOn}`,
      quantity: null,
      unit: null,
      unitPrice: null,
      amountMinor: -amount.minor,
      itemKind: 'unearned-fee',
      itemIds: [`${line.lineId}/${period}`],
    })),
  );
}
