import { parseMoney } from '../domain/money';
import { isViolation } from '../domain/violation';
import { ApiError } from './errors';

/** An amount above zero in minor units of a currency; refused at its place in the request. */
export function amountAbove(amount: string, currency: string, pointer: string): number {
  const money = parseMoney(amount, currency);
  if (!isViolation(money) && money.minor > 0) return money.minor;
  const detail = isViolation(money) ? money.detail : 'must be above zero';
  throw new ApiError('AmountInvalid', detail, { errors: [{ pointer, code: 'AmountInvalid', detail }] });
}
