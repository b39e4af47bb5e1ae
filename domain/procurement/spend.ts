import { compare, plus, times, type Decimal } from '../decimal';
import { compareMoney, type Money, multiplyByRatio, subtractMoney, sumMoney } from '../money';
import { type CostKind } from './cost';

/** A cost on record. `cost` is its amount in the currency of the line; `isRefused`: a commitment that was refused, or a bill in dispute. */
export interface RecordedCost {
  readonly costId: string;
  readonly kind: CostKind;
  readonly commitmentId: string | null;
  readonly amount: Money;
  readonly cost: Money;
  readonly supersedes: string | null;
  readonly isRefused: boolean;
}

/** What subcontractors cost a line, in its currency: what is committed and not billed yet, what is billed, and both. */
export interface Spend {
  readonly committed: Money;
  readonly billed: Money;
  readonly spent: Money;
}

/**
 * The spend of a line: its bills, and of each commitment what no bill has consumed, at the commitment's own rate, half-up. What was
 * superseded does not count; a bill consumes the commitment that stands in the place of the one it names. A commitment that was refused and
 * a bill in dispute do not count: what such a bill had consumed is committed again.
 */
export function spendOf(costs: readonly RecordedCost[], currency: string): Spend {
  const successor = new Map(costs.flatMap(({ costId, supersedes }) => (supersedes === null ? [] : [[supersedes, costId] as const])));
  const counted = costs.filter(({ costId, isRefused }) => !successor.has(costId) && !isRefused);
  const bills = counted.filter(({ kind }) => kind === 'bill');
  const consumed = new Map<string, number>();
  for (const { commitmentId, amount } of bills) {
    if (commitmentId === null) continue;
    const standing = lastOf(commitmentId, successor);
    consumed.set(standing, (consumed.get(standing) ?? 0) + amount.minor);
  }
  const open = counted.flatMap(({ kind, costId, amount, cost }) =>
    kind === 'commitment' ? [openPart(amount, cost, consumed.get(costId) ?? 0)] : [],
  );
  const committed = sumMoney(open, currency);
  const billed = sumMoney(
    bills.map(({ cost }) => cost),
    currency,
  );
  return { committed, billed, spent: sumMoney([committed, billed], currency) };
}

/** The spend of a line if one of its costs were refused, or in dispute. */
export function spendWithout(costs: readonly RecordedCost[], costId: string, currency: string): Spend {
  return spendOf(
    costs.map((each) => (each.costId === costId ? { ...each, isRefused: true } : each)),
    currency,
  );
}

/**
 * What a line has spent beyond its budget: all of it, where the spend exceeds the budget by more than the tolerance in percent of
 * the budget; else null. A line without a budget has one of zero, so that whatever is spent there is beyond it.
 */
export function overspendOf(spent: Money, budget: Money, tolerancePercent: Decimal): Money | null {
  const limit = times(String(budget.minor), plus('100', tolerancePercent));
  return compare(times(String(spent.minor), '100'), limit) > 0 ? subtractMoney(spent, budget) : null;
}

/** What an outcome covers: what was over when it was chosen, and no more than what is over when it is carried out. */
export function covered(chosen: Money, now: Money): Money {
  return compareMoney(now, chosen) < 0 ? now : chosen;
}

function lastOf(costId: string, successor: ReadonlyMap<string, string>): string {
  let last = costId;
  for (let next = successor.get(last); next !== undefined; next = successor.get(last)) last = next;
  return last;
}

/** What of a commitment is not billed, in the currency of the line. */
function openPart(amount: Money, cost: Money, consumedMinor: number): Money {
  const open = Math.max(0, amount.minor - consumedMinor);
  return open === amount.minor ? cost : multiplyByRatio(cost, String(open), String(amount.minor), 'half-up');
}
