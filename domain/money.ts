import { minorDigitsByCurrency } from './currency';
import {
  compare,
  decimal,
  divide,
  isNegative,
  minus,
  plus,
  round,
  sum,
  times,
  toSafeInteger,
  type Decimal,
  type RoundingMode,
} from './decimal';
import { type Violation } from './violation';

export type { Decimal, RoundingMode } from './decimal';

/** An amount in minor units of an ISO 4217 currency; `minor` is a safe integer (R-005, D14). */
export interface Money {
  readonly minor: number;
  readonly currency: string;
}

const NOTATION = /^(-?)(0|[1-9]\d*)(?:\.(\d+))?$/;

/** True for an active ISO 4217 code with a minor unit. */
export function isCurrency(code: string): boolean {
  return minorDigitsByCurrency.has(code);
}

/** Minor digits of a currency (0, 2, 3 or 4); throws for an unknown code: check outside input with `isCurrency`. */
export function minorDigits(currency: string): number {
  const digits = minorDigitsByCurrency.get(currency);
  if (digits === undefined) throw new RangeError(`unknown currency ${currency}`);
  return digits;
}

/**
 * Reads `'240000.00'` or `'240000'` (USD), `'90000000'` (JPY). Refuses floats, exponents, signs other than a leading minus, grouping,
 * more digits than the currency has, and what is no safe integer in minor units.
 */
export function parseMoney(text: string, currency: string): Money | Violation {
  if (!isCurrency(currency)) return { violation: 'CurrencyUnknown', detail: currency };
  const match = typeof text === 'string' && text.length <= 40 ? NOTATION.exec(text) : null;
  if (match === null) return { violation: 'MoneyMalformed', detail: `not a plain amount: ${String(text).slice(0, 80)}` };
  const [, sign = '', whole = '', fraction = ''] = match;
  const digits = minorDigits(currency);
  if (fraction.length > digits) return { violation: 'MoneyTooPrecise', detail: `${text} has more than ${digits} decimals (${currency})` };
  const minor = Number(whole + fraction.padEnd(digits, '0'));
  if (!Number.isSafeInteger(minor)) return { violation: 'MoneyTooLarge', detail: `${text} ${currency}` };
  return { minor: sign === '-' && minor !== 0 ? -minor : minor, currency };
}

/** Decimal text with exactly the currency's digits and no currency: `'240000.00'`, `'-12.50'`, JPY `'90000000'`. */
export function formatMoney(money: Money): string {
  const digits = minorDigits(money.currency);
  const text = String(Math.abs(safe(money.minor))).padStart(digits + 1, '0');
  const sign = money.minor < 0 ? '-' : '';
  return digits === 0 ? sign + text : `${sign}${text.slice(0, -digits)}.${text.slice(-digits)}`;
}

/** An amount of minor units; throws where it is no safe integer or the currency is unknown. */
export function money(minor: number, currency: string): Money {
  minorDigits(currency);
  return { minor: safe(minor), currency };
}

/** Nothing, in a currency. */
export function zeroMoney(currency: string): Money {
  return money(0, currency);
}

/** Sum; throws for two currencies or a result beyond the safe integers. */
export function addMoney(a: Money, b: Money): Money {
  return money(a.minor + sameCurrency(a, b).minor, a.currency);
}

/** Difference; throws for two currencies. */
export function subtractMoney(a: Money, b: Money): Money {
  return money(a.minor - sameCurrency(a, b).minor, a.currency);
}

/** The opposite amount. */
export function negateMoney(a: Money): Money {
  return money(-a.minor, a.currency);
}

/** -1, 0 or 1; throws for two currencies. */
export function compareMoney(a: Money, b: Money): -1 | 0 | 1 {
  return a.minor < sameCurrency(a, b).minor ? -1 : a.minor > b.minor ? 1 : 0;
}

/** Sum of a list in one currency; zero for an empty list, throws where one has another currency. */
export function sumMoney(list: readonly Money[], currency: string): Money {
  return list.reduce(addMoney, zeroMoney(currency));
}

/** Amount × factor, rounded once to the minor unit. */
export function multiplyMoney(amount: Money, factor: Decimal, mode: RoundingMode): Money {
  return fromDecimal(round(times(minorOf(amount), factor), 0, mode), amount.currency);
}

/** Amount × numerator / denominator, rounded once to the minor unit: the ratio itself is never rounded. Throws on a zero denominator. */
export function multiplyByRatio(amount: Money, numerator: Decimal, denominator: Decimal, mode: RoundingMode): Money {
  return fromDecimal(divide(times(minorOf(amount), numerator), denominator, 0, mode), amount.currency);
}

/** Percent of an amount, `'2.5'` being 2.5 %, rounded once to the minor unit. */
export function percentOf(amount: Money, percent: Decimal, mode: RoundingMode): Money {
  return multiplyByRatio(amount, percent, '100', mode);
}

/** A decimal amount in major units (`'83.333'` USD), rounded once to the minor unit (R-003, S-06). */
export function roundToMoney(major: Decimal, currency: string, mode: RoundingMode): Money {
  return fromDecimal(round(times(major, `1${'0'.repeat(minorDigits(currency))}`), 0, mode), currency);
}

/** The amount in major units as an exact decimal (`{ minor: 1250, currency: 'USD' }` → `'12.5'`). */
export function toDecimal(amount: Money): Decimal {
  return decimal(formatMoney(amount));
}

/**
 * Splits an amount by weights with the largest remainder: each part is within one minor unit of its exact share, the parts sum to the
 * amount, ties go to the earlier part, and a negative amount splits like its absolute value (R-007, S-14, I-04). Throws for negative
 * weights or weights that sum to zero.
 */
export function allocate(amount: Money, weights: readonly Decimal[]): Money[] {
  const total = sum(weights);
  if (weights.some(isNegative) || compare(total, '0') === 0) throw new RangeError('weights must not be negative and must not sum to zero');
  const absolute = minorOf({ minor: Math.abs(amount.minor), currency: amount.currency });
  const shares = weights.map((weight, index) => {
    const whole = divide(times(absolute, weight), total, 0, 'down');
    return { index, whole, remainder: minus(times(absolute, weight), times(whole, total)) };
  });
  const left = toSafeInteger(minus(absolute, sum(shares.map((share) => share.whole))));
  const first = [...shares].sort((a, b) => compare(b.remainder, a.remainder) || a.index - b.index).slice(0, left);
  const favoured = new Set(first.map((share) => share.index));
  const parts = shares.map((share) => toSafeInteger(favoured.has(share.index) ? plus(share.whole, '1') : share.whole));
  return parts.map((part) => money(amount.minor < 0 ? -part : part, amount.currency));
}

function minorOf(amount: Money): Decimal {
  return String(safe(amount.minor));
}

function fromDecimal(minor: Decimal, currency: string): Money {
  return money(toSafeInteger(minor), currency);
}

function sameCurrency(a: Money, b: Money): Money {
  if (a.currency !== b.currency) throw new RangeError(`amounts in ${a.currency} and ${b.currency} do not add up`);
  return b;
}

function safe(minor: number): number {
  if (!Number.isSafeInteger(minor)) throw new RangeError(`not a safe integer of minor units: ${minor}`);
  return minor === 0 ? 0 : minor;
}
