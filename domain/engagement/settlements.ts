import { lastOfMonth } from '../calendar/dates';
import { termMonths } from '../deal/amount';
import { type ManagedServiceLine, type Month, type SlaCreditBand } from '../deal/terms';
import { compare, times, type Decimal } from '../decimal';
import { addMoney, compareMoney, multiplyMoney, percentOf, subtractMoney, sumMoney, zeroMoney, type Money } from '../money';
import { termsInMonth } from './dated-terms';
import { type Stopped } from './follow-up';
import { type UsageReport } from './model';
import { feeOfMonth } from './schedule';

/**
 * What a month of a managed service settles, amounts in the line's currency. `trueUp` is null in the last month of a contract quarter of
 * which a report is missing. `serviceCredit` is positive here and negative on the document; `net` leaves out an unknown true-up.
 */
export type MonthSettlement =
  | { readonly kind: 'unreported'; readonly period: Month }
  | {
      readonly kind: 'reported';
      readonly period: Month;
      readonly eventId: string;
      readonly tickets: number;
      readonly overageTickets: number;
      readonly overage: Money;
      readonly trueUp: Money | null;
      readonly serviceCredit: Money;
      readonly net: Money;
    };

const QUARTER_MONTHS = 3;

/**
 * Settles every month of the term by the reports that govern: a superseded report is ignored, one delivered twice counts once, of several
 * without a link the latest counts (R-037, S-18). True-up falls in months 3, 6, 9 … of the term: commitment less fees and ticket overage of
 * the three months, never below zero; a quarter that the term cuts short has none, nor has one that a stop cuts short. Credits and
 * add-ons do not count towards it.
 */
export function settlements(line: ManagedServiceLine & Stopped, usage: readonly UsageReport[]): MonthSettlement[] {
  const reports = governingReports(usage);
  const months = termMonths(line);
  return months.map((period, index) => {
    const report = reports.get(period);
    if (report === undefined) return { kind: 'unreported', period };
    const overageTickets = ticketsBeyond(line, report);
    const overage = overageOf(line, report);
    const endsQuarter = endsQuarterAt(line, index, period);
    const quarter = months.slice(index + 1 - QUARTER_MONTHS, index + 1);
    const trueUp = endsQuarter ? trueUpOf(line, quarter, reports) : zeroMoney(line.currency);
    const serviceCredit = percentOf(creditBase(line, period), creditPercent(line.slaCredits?.table ?? [], report), 'half-up');
    const net = subtractMoney(addMoney(overage, trueUp ?? zeroMoney(line.currency)), serviceCredit);
    return {
      kind: 'reported',
      period,
      eventId: report.eventId,
      tickets: report.tickets,
      overageTickets,
      overage,
      trueUp,
      serviceCredit,
      net,
    };
  });
}

/** The report that governs each month (R-037, S-18). */
export function governingReports(usage: readonly UsageReport[]): Map<Month, UsageReport> {
  const isSuperseded = (report: UsageReport): boolean =>
    usage.some((other) => other.supersedes === report.eventId && other.period === report.period);
  const byMonth = new Map<Month, UsageReport>();
  for (const report of usage.filter((each) => !isSuperseded(each))) {
    const other = byMonth.get(report.period);
    if (other === undefined || Date.parse(report.reportedAt) > Date.parse(other.reportedAt)) byMonth.set(report.period, report);
  }
  return byMonth;
}

/** The months of the quarter that ends with a month, which its true-up needs; only the month itself where none ends. */
export function monthsNeededFor(line: ManagedServiceLine & Stopped, period: Month): Month[] {
  const months = termMonths(line);
  const index = months.indexOf(period);
  const endsQuarter = termsInMonth(line, period).minimumCommitment !== null && endsQuarterAt(line, index, period);
  return endsQuarter ? months.slice(index + 1 - QUARTER_MONTHS, index + 1) : [period];
}

/** Reads the credit table with the exact share of tickets in time, never a rounded one; no tickets measured, no credit (R-037, S-18). */
export function creditPercent(
  table: readonly SlaCreditBand[],
  report: { readonly p1Tickets: number; readonly p1WithinTarget: number },
): Decimal {
  if (report.p1Tickets === 0) return '0';
  const hundredths = times(String(report.p1WithinTarget), '100');
  const reaches = (percent: Decimal): boolean => compare(hundredths, times(percent, String(report.p1Tickets))) >= 0;
  const band = table.find((each) => reaches(each.fromPercent) && (each.belowPercent === null || !reaches(each.belowPercent)));
  return band?.creditPercentOfMonthlyFee ?? '0';
}

/** Months 3, 6, 9 … of the term, unless a stop ended the service inside them. */
function endsQuarterAt(line: Stopped, index: number, period: Month): boolean {
  return (index + 1) % QUARTER_MONTHS === 0 && isWhole(line, period);
}

/** False for the month in which a stop ended the service before its last day. */
function isWhole({ stoppedOn }: Stopped, period: Month): boolean {
  return stoppedOn === undefined || stoppedOn >= lastOfMonth(period);
}

/** A credit is a share of the base monthly fee (S-18); of the month of a stop, of the fee for its days. */
function creditBase(line: ManagedServiceLine & Stopped, period: Month): Money {
  return isWhole(line, period) ? termsInMonth(line, period).monthlyFee : feeOfMonth(line, period);
}

function trueUpOf(line: ManagedServiceLine, quarter: readonly Month[], reports: ReadonlyMap<Month, UsageReport>): Money | null {
  const none = zeroMoney(line.currency);
  const { minimumCommitment } = termsInMonth(line, quarter.at(-1) ?? '');
  if (minimumCommitment === null) return none;
  const found = quarter.flatMap((month) => reports.get(month) ?? []);
  if (found.length < quarter.length) return null;
  const fees = quarter.map((month) => feeOfMonth(line, month));
  const reached = sumMoney([...fees, ...found.map((report) => overageOf(line, report))], line.currency);
  const shortfall = subtractMoney(minimumCommitment.amount, reached);
  return compareMoney(shortfall, none) > 0 ? shortfall : none;
}

function overageOf(line: ManagedServiceLine, report: UsageReport): Money {
  return multiplyMoney(termsInMonth(line, report.period).overagePerTicket, String(ticketsBeyond(line, report)), 'half-up');
}

function ticketsBeyond(line: ManagedServiceLine, report: UsageReport): number {
  return Math.max(0, report.tickets - termsInMonth(line, report.period).includedTicketsPerMonth);
}
