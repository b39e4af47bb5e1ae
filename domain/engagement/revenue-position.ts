import { type Month } from '../deal/terms';
import { money, subtractMoney, sumMoney, zeroMoney, type Money } from '../money';
import { type RevenueFacts, type RevenueMonth } from './model';

/**
 * Turns cumulative revenue into months with their contract position (R-039, RULES Revenue): period = to date − posted; contract asset =
 * max(0, revenue − billed), contract liability = max(0, billed − revenue). One line, never netted with another (S-29).
 */
export function revenueMonths(
  cumulative: readonly { readonly period: Month; readonly toDate: Money }[],
  billed: RevenueFacts['billed'],
  currency: string,
): RevenueMonth[] {
  return cumulative.map(({ period, toDate }, index) => {
    const posted = cumulative[index - 1]?.toDate ?? zeroMoney(currency);
    const billedToDate = sumMoney(
      billed.filter((document) => document.period <= period).map((document) => document.amount),
      currency,
    );
    const position = subtractMoney(toDate, billedToDate).minor;
    return {
      period,
      revenueToDate: toDate,
      revenue: subtractMoney(toDate, posted),
      billedToDate,
      contractAsset: money(Math.max(0, position), currency),
      contractLiability: money(Math.max(0, -position), currency),
    };
  });
}
