import { amendmentsOf } from './amendments';
import { addDays, endOfDay, firstOf, lastOf, monthAfter, monthOf, monthsOf } from './days';
import { type LineParties } from './document';
import { type Exchange } from './exchange';
import { netOf, type CheckedExpense } from './expenses';
import { type RawDeal, type Row } from './folder';
import { fraction, minorOf, type Fraction } from './fraction';
import { priceOf } from './pricing';
import { billableEntries } from './time';
import { type WholeFolder } from './whole-folder';

/** An entry of a time-and-materials line that may be billed, with its price. */
export interface BillableItem {
  readonly row: Row;
  readonly unitPrice: Fraction;
  readonly amount: bigint;
}

/** What a run bills of an entry: all of it, or the part on one side of the cap. */
export interface BilledPart {
  readonly item: BillableItem;
  readonly amount: bigint;
}

export interface Run {
  readonly period: string;
  readonly limit: bigint | null;
  readonly parts: readonly BilledPart[];
  readonly expenses: readonly { readonly row: Row; readonly amount: bigint }[];
  readonly billedFees: bigint;
  readonly billedToDate: bigint;
  readonly releasedFromParked: bigint;
  readonly newlyParked: bigint;
  readonly parkedAfter: bigint;
  /** The first entry that brings the fees billed to date to the soft limit of this run (S-16). */
  readonly softLimitBy: string | null;
}

/** Approved, billable entries of the line with a price; without rework (S-07). */
export function billableItems(folder: WholeFolder, { line }: LineParties): BillableItem[] {
  return billableEntries(folder, line.id).flatMap((row) => {
    const price = row.rework === 'N' ? priceOf(folder, line, row) : null;
    return price ? [{ row, unitPrice: price.unitPrice, amount: price.amount }] : [];
  });
}

/** The last day of delivery: of all lines but managed services, which begin when delivery is over; of those where there is nothing else (S-47). */
export function deliveryEnd(deal: RawDeal): string {
  const delivered = deal.lines.filter((line) => line.engagementModel !== 'managed-service');
  return (delivered.length > 0 ? delivered : deal.lines).map((line) => line.endDate).sort().at(-1) ?? deal.endDate; // prettier-ignore
}

/** Every run from the first month of the deal to the month after delivery ends: queue, cap, split, park and release (S-10, S-15, S-16). */
export function runsOf(folder: WholeFolder, parties: LineParties, exchange: Exchange, expenses: readonly CheckedExpense[]): Run[] {
  const { line, entity } = parties;
  const { capOn } = amendmentsOf(folder, line);
  const queue = billableItems(folder, parties)
    .sort((a, b) => order(a.row.work_date, b.row.work_date) || order(a.row.entry_id, b.row.entry_id))
    .map((item) => ({ item, left: item.amount, parked: 0n }));
  const chargeable = billableExpenses(line.id, line.expensesBillable !== false, expenses);
  const spent = new Set<Row>();
  let billedToDate = 0n;
  return monthsOf(folder.deal.startDate, firstOf(monthAfter(monthOf(deliveryEnd(folder.deal))))).map((period) => {
    const cutOff = endOfDay(addDays(firstOf(monthAfter(period)), 4), entity.timeZone);
    const isDue = (row: Row, day = ''): boolean => day <= lastOf(period) && Date.parse(row.approved_at ?? '') < cutOff;
    const cap = capOn(lastOf(period));
    const limit = cap === null ? null : minorOf(cap, line.currency);
    const before = billedToDate;
    const parts: BilledPart[] = [];
    let [released, newlyParked, isFull, softLimitBy] = [0n, 0n, false, null as string | null];
    for (const each of queue) {
      if (each.left === 0n || !isDue(each.item.row, each.item.row.work_date)) continue;
      const room = limit === null ? each.left : limit > billedToDate ? limit - billedToDate : 0n;
      const taken = isFull ? 0n : each.left <= room ? each.left : room;
      if (taken < each.left) isFull = true;
      if (taken > 0n) parts.push({ item: each.item, amount: taken });
      billedToDate += taken;
      if (each.parked > 0n) released += taken;
      each.left -= taken;
      if (each.parked === 0n) newlyParked += each.left;
      each.parked = each.left;
      if (softLimitBy === null && taken > 0n && limit !== null && reaches(billedToDate, limit, line.capSoftPercent ?? '80'))
        softLimitBy = each.item.row.entry_id ?? null;
    }
    const ready = chargeable.filter((row) => !spent.has(row) && isDue(row, row.spend_date));
    for (const row of ready) spent.add(row);
    return {
      period,
      limit,
      parts,
      expenses: ready.map((row) => ({ row, amount: netOf(row, exchange, line.currency) })),
      billedFees: billedToDate - before,
      billedToDate,
      releasedFromParked: released,
      newlyParked,
      parkedAfter: queue.reduce((sum, { parked }) => sum + parked, 0n),
      softLimitBy,
    };
  });
}

/** An expense that was entered as not billable has no breach and is not billed. */
function billableExpenses(lineId: string, isLineBillable: boolean, expenses: readonly CheckedExpense[]): Row[] {
  return expenses
    .filter(({ row, errors }) => isLineBillable && row.line_id === lineId && errors.length === 0 && row.status === 'approved')
    .map(({ row }) => row)
    .filter((row) => row.billable === 'Y');
}

function reaches(billed: bigint, limit: bigint, percent: string): boolean {
  const { n, d } = fraction(percent);
  return billed * 100n * d >= limit * n;
}

const order = (a = '', b = ''): number => (a < b ? -1 : a > b ? 1 : 0);
