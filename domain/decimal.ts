import Big from 'big.js';
import { isViolation, type Violation } from './violation';

/** Exact decimal as text in canonical form: no exponent, no leading plus or zeros, no trailing zeros, no negative zero (R-001, D14). */
export type Decimal = string;
/** Both round the absolute value and restore the sign (R-003, S-19). */
export type RoundingMode = 'half-up' | 'down';

const NOTATION = /^-?(?:0|[1-9]\d*)(?:\.\d+)?$/;
const MAX_LENGTH = 60;

/** A constructor of our own, so that nobody's change of Big's global settings reaches us; strict refuses floats. */
const Exact = Big();
Exact.strict = true;

/** Canonical form of a decimal in plain notation (`'10.50'` → `'10.5'`, `'-0'` → `'0'`); refuses anything else, floats and exponents included. */
export function canonical(text: string): Decimal | Violation {
  return isDecimal(text)
    ? write(new Exact(text))
    : { violation: 'DecimalMalformed', detail: `not a plain decimal: ${String(text).slice(0, 80)}` };
}

/** True for a decimal in plain notation, canonical or not, of at most 60 characters. */
export function isDecimal(text: unknown): boolean {
  return typeof text === 'string' && text.length <= MAX_LENGTH && NOTATION.test(text);
}

/** Canonical form of text that must be a decimal; throws where it is not, because that is a bug of the caller. */
export function decimal(text: string): Decimal {
  const result = canonical(text);
  if (isViolation(result)) throw new RangeError(result.detail);
  return result;
}

/** Exact sum. */
export function plus(a: Decimal, b: Decimal): Decimal {
  return write(read(a).plus(read(b)));
}

/** Exact difference. */
export function minus(a: Decimal, b: Decimal): Decimal {
  return write(read(a).minus(read(b)));
}

/** Exact product. */
export function times(a: Decimal, b: Decimal): Decimal {
  return write(read(a).times(read(b)));
}

/** Quotient rounded once, at `decimalPlaces`; throws on a zero divisor. */
export function divide(a: Decimal, b: Decimal, decimalPlaces: number, mode: RoundingMode): Decimal {
  const Rounding = Big();
  Rounding.DP = decimalPlaces;
  Rounding.RM = mode === 'down' ? Big.roundDown : Big.roundHalfUp;
  return write(new Rounding(a).div(new Rounding(b)));
}

/** `a` with at most `decimalPlaces` places, rounded on the absolute value. */
export function round(a: Decimal, decimalPlaces: number, mode: RoundingMode): Decimal {
  return write(read(a).round(decimalPlaces, mode === 'down' ? Big.roundDown : Big.roundHalfUp));
}

/** -1, 0 or 1, by value and not by notation. */
export function compare(a: Decimal, b: Decimal): -1 | 0 | 1 {
  return read(a).cmp(read(b));
}

/** `-a`. */
export function negate(a: Decimal): Decimal {
  return write(read(a).times('-1'));
}

/** `|a|`. */
export function absolute(a: Decimal): Decimal {
  return write(read(a).abs());
}

/** Exact sum of a list; `'0'` for an empty one. */
export function sum(list: readonly Decimal[]): Decimal {
  return write(list.reduce((total, each) => total.plus(read(each)), new Exact('0')));
}

/** The smaller of two. */
export function min(a: Decimal, b: Decimal): Decimal {
  return compare(a, b) <= 0 ? decimal(a) : decimal(b);
}

/** The larger of two. */
export function max(a: Decimal, b: Decimal): Decimal {
  return compare(a, b) >= 0 ? decimal(a) : decimal(b);
}

/** True for zero in any notation. */
export function isZero(a: Decimal): boolean {
  return compare(a, '0') === 0;
}

/** True for values below zero. */
export function isNegative(a: Decimal): boolean {
  return compare(a, '0') < 0;
}

/** The integer value as a number; throws where it is not a safe integer. */
export function toSafeInteger(a: Decimal): number {
  const value = Number(read(a).toFixed());
  if (!Number.isSafeInteger(value) || read(a).cmp(String(value)) !== 0) throw new RangeError(`not a safe integer: ${a}`);
  return value === 0 ? 0 : value;
}

function read(a: Decimal): Big {
  if (typeof a !== 'string') throw new TypeError('a decimal is text, never a number');
  return new Exact(a);
}

function write(value: Big): Decimal {
  return value.eq('0') ? '0' : value.toFixed();
}
