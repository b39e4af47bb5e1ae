import { divide, times, type Decimal } from '../decimal';

/** How long things took, in whole minutes: half of them at most `p50`, nine of ten at most `p90`. */
export interface Spread {
  readonly p50: number;
  readonly p90: number;
  readonly longest: number;
}

/**
 * The spread of durations; null where there are none. Percentiles are discrete (nearest rank): the smallest of the values that at least that
 * share of them does not exceed, so each is a duration that occurred and none is made up between two.
 */
export function spreadOf(minutes: readonly number[]): Spread | null {
  const sorted = [...minutes].sort((a, b) => a - b);
  const longest = sorted.at(-1);
  return longest === undefined ? null : { p50: nearestRank(sorted, 50), p90: nearestRank(sorted, 90), longest };
}

/** Percent with two decimals, half up, of the exact ratio; null of nothing, which is neither all nor none. */
export function sharePercent(part: number, whole: number): Decimal | null {
  return whole === 0 ? null : divide(times(String(part), '100'), String(whole), 2, 'half-up');
}

function nearestRank(sorted: readonly number[], percent: number): number {
  const value = sorted[Math.max(1, Math.ceil((percent * sorted.length) / 100)) - 1];
  if (value === undefined) throw new RangeError('no percentile of nothing');
  return value;
}
