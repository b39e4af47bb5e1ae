import { type AddOn } from './amendments';
import { daysFrom, lastOf, monthOf, monthsOf } from './days';
import { type ExpectedInvoice, type LineParties } from './document';
import { fraction, minorOf, over, rounded, times, whole, written } from './fraction';
import { periodsOf } from './cost-to-cost';
import { settlementsOf } from './managed-service';
import { feeOf, serviceOf, type Service } from './monthly';
import { drawdownsOf } from './retainer';

export type RevenueByMonth = ReadonlyMap<string, bigint>;

/** Net of the invoice of each period, whenever it was issued (S-27). */
export function asInvoiced({ line }: LineParties, invoices: readonly ExpectedInvoice[]): RevenueByMonth {
  return added(invoices.filter(({ lineId }) => lineId === line.id).map(({ period, net }) => [period, minorOf(net, line.currency)]));
}

/** Fees by day, and what each month brings beyond them in the month it concerns (S-28). */
export function overTime(parties: LineParties, addOns: readonly AddOn[]): RevenueByMonth {
  const { line } = parties;
  const fees = [line, ...addOns.map((addOn) => serviceOf(line, addOn))].flatMap((service) => [...byDay(service)]);
  const beyond: [string, bigint][] =
    line.engagementModel === 'retainer'
      ? drawdownsOf(parties).map(({ period, overage }) => [period, overage])
      : settlementsOf(parties).map(({ period, overage, trueUp, serviceCredit }) => [period, overage + trueUp - serviceCredit]);
  return added([...fees, ...beyond]);
}

/** The invoiced fees over the days of the service: cumulative half-up at each month end, the last month takes the rest. */
function byDay(service: Service): RevenueByMonth {
  const months = monthsOf(service.startDate, service.endDate);
  const total = months.reduce((sum, month) => sum + feeOf(service, month), 0n);
  const days = daysFrom(service.startDate, service.endDate) + 1;
  const toDate = months.map((month): [string, bigint] => {
    if (month === monthOf(service.endDate)) return [month, total];
    const share = over(fraction(daysFrom(service.startDate, lastOf(month)) + 1), fraction(days));
    return [month, rounded(times(whole(total), share), 'half-up')];
  });
  return periodsOf(new Map(toDate));
}

function added(parts: readonly (readonly [string, bigint])[]): RevenueByMonth {
  const months = new Map<string, bigint>();
  for (const [month, minor] of parts) months.set(month, (months.get(month) ?? 0n) + minor);
  return new Map([...months].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Months without revenue are left out (part 3). */
export function writtenRevenue(revenue: RevenueByMonth, currency: string): Record<string, string> {
  return Object.fromEntries([...revenue].filter(([, minor]) => minor !== 0n).map(([month, minor]) => [month, written(minor, currency)]));
}
