import { type AddOn } from './amendments';
import { monthsOf } from './days';
import { type ExpectedInvoice, type LineParties } from './document';
import { type Row } from './folder';
import { compare, fraction, inMinor, minus, over, plus, rounded, times, zero, type Fraction } from './fraction';
import { arrearsInvoice, feeInvoices } from './monthly';

/** What the usage of a month brings beyond the fee, in minor units; a credit is positive. */
export interface Settlement {
  readonly period: string;
  readonly tickets: number;
  readonly overage: bigint;
  readonly trueUp: bigint;
  readonly serviceCredit: bigint;
}

/** Every month of the term: tickets beyond those included, true-up of the quarter, service credit (S-18). */
export function settlementsOf(parties: LineParties): Settlement[] {
  const months = monthsOf(parties.line.startDate, parties.line.endDate);
  const reports = months.map((month) => reportOf(parties, month));
  const overage = reports.map((report) => overageOf(parties, report));
  return months.map((period, index) => ({
    period,
    tickets: Number(reports[index]?.tickets),
    overage: rounded(overage[index] ?? zero, 'half-up'),
    trueUp: rounded(trueUpOf(parties, overage, index), 'half-up'),
    serviceCredit: reports.slice(index, index + 1).reduce((sum, report) => sum + creditOf(parties, report), 0n),
  }));
}

/** Fees in advance, with those of add-ons, and the usage settlement of each month (S-13, S-18). */
export function managedServiceInvoices(parties: LineParties, addOns: readonly AddOn[] = []): ExpectedInvoice[] {
  const settled = settlementsOf(parties).flatMap(({ period, overage, trueUp, serviceCredit }) =>
    arrearsInvoice(parties, period, 'US', [overage, trueUp, -serviceCredit]),
  );
  return [...feeInvoices(parties, addOns), ...settled];
}

/** The report that governs a month: not superseded, a redelivered one once, the latest if several remain. */
function reportOf({ line, folder }: LineParties, month: string): Row {
  const reports = folder.usage.filter((row) => row.line_id === line.id);
  const superseded = reports.map((row) => row.supersedes);
  const own = reports.filter((row) => row.service_period === month && !superseded.includes(row.event_id ?? ''));
  const [latest] = own.sort((a, b) => Date.parse(b.reported_at ?? '') - Date.parse(a.reported_at ?? ''));
  if (!latest) throw new Error(`no usage of ${month}`);
  return latest;
}

function overageOf({ line }: LineParties, report: Row): Fraction {
  const beyond = Number(report.tickets) - Number(line.includedTicketsPerMonth);
  return times(inMinor(fraction(line.overagePerTicket), line.currency), fraction(Math.max(0, beyond)));
}

/** In months 3, 6, 9 … of the term: commitment less three fees and the ticket overage of the three months, not below zero. */
function trueUpOf({ line }: LineParties, overage: readonly Fraction[], index: number): Fraction {
  if (!line.minimumCommitment || (index + 1) % 3 !== 0) return zero;
  const fees = times(inMinor(fraction(line.monthlyFee), line.currency), fraction(3));
  const reached = overage.slice(index - 2, index + 1).reduce(plus, fees);
  const shortfall = minus(inMinor(fraction(line.minimumCommitment.amount), line.currency), reached);
  return compare(shortfall, zero) > 0 ? shortfall : zero;
}

/** The share in time is exact when the table is read; a month without measured tickets has no credit. */
function creditOf({ line }: LineParties, report: Row): bigint {
  if (Number(report.p1_tickets) === 0) return 0n;
  const share = times(over(fraction(report.p1_within_target ?? ''), fraction(report.p1_tickets ?? '')), fraction(100));
  const band = (line.slaCredits?.table ?? []).find(
    (row) =>
      compare(share, fraction(row.fromPercent)) >= 0 && (row.belowPercent === null || compare(share, fraction(row.belowPercent)) < 0),
  );
  const percent = over(fraction(band?.creditPercentOfMonthlyFee ?? '0'), fraction(100));
  return rounded(times(inMinor(fraction(line.monthlyFee), line.currency), percent), 'half-up');
}
