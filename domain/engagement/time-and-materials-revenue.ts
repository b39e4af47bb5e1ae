import { monthOf, monthsBetween } from '../calendar/dates';
import { type Month, type TimeAndMaterialsLine } from '../deal/terms';
import { addMoney, zeroMoney, type Money } from '../money';
import { type Violation } from '../violation';
import { type RevenueFacts, type RevenueMonth } from './model';
import { revenueMonths } from './revenue-position';

/**
 * Revenue of a month = net of the documents that bill it, after discount and with expenses, whichever month the work was done: the run of a
 * month takes what its closed period holds, so what is approved later is recognised, whole, in the period then open. Parked amounts are no
 * revenue (R-124, S-27, S-45). Refuses other methods than as-invoiced with `RevenueMethodNotSupported`.
 */
export function recogniseTimeAndMaterials(
  line: TimeAndMaterialsLine,
  facts: RevenueFacts,
  asOf: Month,
): readonly RevenueMonth[] | Violation {
  if (line.revenueMethod !== 'as-invoiced')
    return { violation: 'RevenueMethodNotSupported', detail: `${line.revenueMethod} for a ${line.engagementModel} line` };
  if (facts.billedByPeriod === undefined) throw new RangeError(`${line.lineId} needs its documents by period`);
  const byPeriod = new Map<Month, Money>();
  for (const { period, amount } of facts.billedByPeriod) {
    const before = byPeriod.get(period);
    byPeriod.set(period, before === undefined ? amount : addMoney(before, amount));
  }
  const first = [...byPeriod.keys()].reduce((a, b) => (b < a ? b : a), monthOf(line.startDate));
  let toDate = zeroMoney(line.currency);
  const cumulative = monthsBetween(first, asOf).map((period) => {
    toDate = addMoney(toDate, byPeriod.get(period) ?? zeroMoney(line.currency));
    return { period, toDate };
  });
  return revenueMonths(cumulative, facts.billed, line.currency);
}
