import { addDays, endOfDay, firstOf, lastOf, monthAfter, monthOf, monthsOf } from './days';
import { type ExpectedInvoice, type LineParties } from './document';
import { type Exchange } from './exchange';
import { netOf, type CheckedExpense } from './expenses';
import { type Row } from './folder';
import { fraction, inMinor, minorOf, over, plus, rounded, sum, times, whole, written, zero, type Fraction } from './fraction';
import { covers } from './pricing';
import { checkedEntries } from './time';
import { type WholeFolder } from './whole-folder';

/** Contract asset or liability of a percent-of-completion line at a month end; one of the two is zero (S-26). */
export interface ExpectedContractBalance {
  readonly lineId: string;
  readonly month: string;
  readonly revenueToDate: string;
  readonly billedToDate: string;
  readonly contractAsset: string;
  readonly contractLiability: string;
}

/**
 * Revenue to date of a fixed-fee line at every month end with a forecast (S-26). A month without one recognises nothing; the next
 * forecast catches up. In minor units, by month. `knownBefore` leaves out what was approved later.
 */
export function revenueToDate(
  folder: WholeFolder,
  { line }: LineParties,
  exchange: Exchange,
  expenses: readonly CheckedExpense[],
  knownBefore = Number.POSITIVE_INFINITY,
): Map<string, bigint> {
  const costs = costsOf(folder, line.id, line.currency, exchange, expenses, knownBefore);
  const forecasts = folder.forecasts.filter((row) => row.line_id === line.id).sort((a, b) => ((a.as_of ?? '') < (b.as_of ?? '') ? -1 : 1));
  return new Map(
    forecasts.map((forecast) => {
      const asOf = forecast.as_of ?? '';
      const spent = sum(costs.filter(({ day }) => day <= asOf).map(({ cost }) => cost));
      const toCome = inMinor(
        exchange(fraction(forecast.estimate_to_complete_cost ?? ''), forecast.currency ?? '', line.currency, asOf),
        line.currency,
      );
      const total = plus(spent, toCome);
      const complete = total.n === 0n ? zero : over(spent, total);
      return [monthOf(asOf), rounded(times(complete, inMinor(fraction(line.fixedFee), line.currency)), 'half-up')];
    }),
  );
}

/** Revenue to date as it was recognised when a month closed: by the last forecast until then and what was approved before the cut-off (S-45). */
export function recognisedBy(
  folder: WholeFolder,
  parties: LineParties,
  exchange: Exchange,
  expenses: readonly CheckedExpense[],
  month: string,
): bigint {
  const cutOff = endOfDay(addDays(firstOf(monthAfter(month)), 4), parties.entity.timeZone);
  const known = [...revenueToDate(folder, parties, exchange, expenses, cutOff)].filter(([forecast]) => forecast <= month);
  return known.at(-1)?.[1] ?? 0n;
}

/**
 * Approved time without duplicates and rework at the cost rate of the work date, at the rate of the last day of its month, not rounded;
 * expenses without error in whole minor units. Blocked time and time entered as not billable cost, too (S-26, S-40).
 */
function costsOf(
  folder: WholeFolder,
  lineId: string,
  currency: string,
  exchange: Exchange,
  expenses: readonly CheckedExpense[],
  knownBefore: number,
): { day: string; cost: Fraction }[] {
  const isKnown = (row: Row): boolean => Date.parse(row.approved_at ?? '') < knownBefore;
  const time = checkedEntries(folder)
    .filter(({ row }) => row.status !== 'approved' || isKnown(row))
    .filter(({ row, duplicate }) => !duplicate && row.line_id === lineId && row.status === 'approved' && row.rework === 'N')
    .map(({ row }) => {
      const day = row.work_date ?? '';
      const rate = costRateOf(folder, row);
      const cost = times(fraction(row.hours ?? ''), fraction(rate.cost_rate_per_hour ?? ''));
      return { day, cost: inMinor(exchange(cost, rate.currency ?? '', currency, lastOf(monthOf(day))), currency) };
    });
  const spent = expenses
    .filter(({ row, errors }) => row.line_id === lineId && errors.length === 0 && row.status === 'approved' && isKnown(row))
    .map(({ row }) => ({ day: row.spend_date ?? '', cost: whole(netOf(row, exchange, currency)) }));
  return [...time, ...spent];
}

function costRateOf(folder: WholeFolder, entry: Row): Row {
  const rate = folder.costRates.find((row) => row.person_id === entry.person_id && covers(row, entry.work_date ?? ''));
  if (!rate) throw new Error(`no cost rate of ${entry.person_id} on ${entry.work_date}`);
  return rate;
}

/** At every month end from the first revenue or invoice to the last (S-26). */
export function contractBalances(
  { line }: LineParties,
  toDate: ReadonlyMap<string, bigint>,
  invoices: readonly ExpectedInvoice[],
): ExpectedContractBalance[] {
  const own = invoices.filter(({ lineId }) => lineId === line.id);
  const touched = [...toDate.keys(), ...own.map(({ issueDate }) => monthOf(issueDate))].sort();
  if (touched.length === 0) return [];
  const money = (minor: bigint): string => written(minor, line.currency);
  return monthsOf(`${touched[0]}-01`, `${touched.at(-1)}-01`).map((month) => {
    const revenue = [...toDate].filter(([each]) => each <= month).map(([, minor]) => minor).at(-1) ?? 0n; // prettier-ignore
    const billed = own.filter(({ issueDate }) => issueDate <= lastOf(month)).reduce((total, { net }) => total + minorOf(net, line.currency), 0n); // prettier-ignore
    const asset = revenue - billed;
    return {
      lineId: line.id,
      month,
      revenueToDate: money(revenue),
      billedToDate: money(billed),
      contractAsset: money(asset > 0n ? asset : 0n),
      contractLiability: money(asset < 0n ? -asset : 0n),
    };
  });
}

/** What each step adds to the one before. */
export function periodsOf(toDate: ReadonlyMap<string, bigint>): Map<string, bigint> {
  let posted = 0n;
  return new Map(
    [...toDate].map(([month, minor]) => {
      const period = minor - posted;
      posted = minor;
      return [month, period];
    }),
  );
}
