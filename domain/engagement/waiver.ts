import { type LineTerms, type Month } from '../deal/terms';
import { type Decimal } from '../decimal';
import { compareMoney, formatMoney, sumMoney, type Money } from '../money';
import { type Violation } from '../violation';
import { type FollowUpFacts } from './follow-up';
import { remainderOf } from './not-to-exceed';

/** Why finance does not bill what it could, or lets too much stay billed. */
export const WAIVER_REASONS = ['goodwill', 'agreed-with-customer', 'approved-too-late', 'not-billable', 'stays-billed'] as const;

/** What of a time-and-materials line can be given up: time beyond the limit, other unbilled time, expenses. */
export const WAIVABLE_ITEMS = ['parked-time', 'unbilled-time', 'unbilled-expenses'] as const;

/** A decision not to bill: overage hours of a month of work, or all items of a kind, with the amount that was seen when deciding. */
export type Waiver =
  | { readonly kind: 'overage'; readonly period: Month; readonly hours: Decimal }
  | { readonly kind: (typeof WAIVABLE_ITEMS)[number]; readonly amount: Money };

/** What is given up of one entry or expense; `hours` is null for what is not time. */
export interface WaivedItem {
  readonly itemKind: 'time-entry' | 'expense';
  readonly itemId: string;
  readonly amount: Money;
  readonly hours: Decimal | null;
}

/**
 * The items that a waiver gives up, whole (R-129, S-15): what an earlier run parked, other time, or expenses. The amount must be that of
 * the items as they stand, so that nobody gives up what came after they looked.
 */
export function waivedItems(line: LineTerms, waiver: Waiver, facts: FollowUpFacts): readonly WaivedItem[] | Violation {
  if (waiver.kind === 'overage') return { violation: 'LineWithoutOverage', detail: line.engagementModel };
  const items = itemsOf(waiver.kind, facts);
  const sum = sumMoney(
    items.map((item) => item.amount),
    line.currency,
  );
  if (sum.minor === 0) return { violation: 'NothingToWaive', detail: `${line.lineId} has no ${waiver.kind}`, path: '/kind' };
  if (waiver.amount.currency !== line.currency || compareMoney(waiver.amount, sum) !== 0)
    return { violation: 'WaiverAmountDiffers', detail: `${formatMoney(sum)} ${sum.currency} stand there`, path: '/amount' };
  return items;
}

function itemsOf(kind: (typeof WAIVABLE_ITEMS)[number], { timeAndMaterials }: FollowUpFacts): WaivedItem[] {
  if (timeAndMaterials === undefined) throw new RangeError('a time-and-materials line needs its unbilled time and expenses');
  const { time, expenses } = timeAndMaterials;
  if (kind === 'unbilled-expenses')
    return expenses.map(({ expenseId, amount }) => ({ itemKind: 'expense', itemId: expenseId, amount, hours: null }));
  return time
    .filter((entry) => entry.parked === (kind === 'parked-time'))
    .map((entry) => ({ itemKind: 'time-entry', itemId: entry.entryId, ...remainderOf(entry) }));
}
