import { parseMoney } from '../domain/money';
import { isViolation } from '../domain/violation';

/** Amount of master data in minor units; the files were checked, so one that does not fit its currency is a bug. */
export function minorOf(amount: string | null, currency: string): number | null {
  const money = amount === null ? null : parseMoney(amount, currency);
  if (isViolation(money)) throw new RangeError(money.detail);
  return money?.minor ?? null;
}
