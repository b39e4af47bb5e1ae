import { type Month } from '../deal/terms';
import { type RevenueMonth } from '../engagement/model';

/** Minor units that a period still has to recognise for a month. */
export interface RevenueDue {
  readonly month: Month;
  readonly amountMinor: number;
}

/**
 * What `period` has to recognise: for each month up to it, what the facts say now less what was posted for it (R-131, S-45, RULES Revenue).
 * A closed month is never posted again: what changed about it is caught up in the period then open, so that the sum of everything
 * posted is always the revenue to date. `posted` holds minor units by month; a month that no longer earns anything is taken back.
 */
export function revenueDue(recognised: readonly RevenueMonth[], posted: ReadonlyMap<Month, number>, period: Month): RevenueDue[] {
  const earned = new Map(recognised.filter((each) => each.period <= period).map((each) => [each.period, each.revenue.minor]));
  return [...new Set([...earned.keys(), ...posted.keys()])]
    .sort()
    .map((month) => ({ month, amountMinor: (earned.get(month) ?? 0) - (posted.get(month) ?? 0) }))
    .filter(({ amountMinor }) => amountMinor !== 0);
}
