import { compare, times, type Decimal } from '../decimal';
import { roundToMoney, type Money } from '../money';

/** The rest of a paid invoice that is given up to bank charges: at most `percent` of its total and a cap in major units, per currency where overridden. */
export interface TolerancePolicy {
  readonly percent: Decimal;
  readonly majorCap: Decimal;
  readonly overrides: Readonly<Record<string, Decimal>>;
}

/** True for a rest above zero of at most the smaller of both limits, the percentage not rounded (R-073, S-32, S-47). */
export function withinTolerance(restMinor: number, total: Money, policy: TolerancePolicy): boolean {
  const cap = roundToMoney(policy.overrides[total.currency] ?? policy.majorCap, total.currency, 'down');
  const withinPercent = compare(times(String(restMinor), '100'), times(String(total.minor), policy.percent)) <= 0;
  return restMinor > 0 && restMinor <= cap.minor && withinPercent;
}
