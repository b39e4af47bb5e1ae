/** An exact ratio of whole numbers; the divisor is positive. The recomputation has its own arithmetic, on purpose not that of the product. */
export interface Fraction {
  readonly n: bigint;
  readonly d: bigint;
}

export const zero: Fraction = { n: 0n, d: 1n };

/** Reads a plain decimal such as `-12.50`. */
export function fraction(text: string | number): Fraction {
  const match = /^(-?)(\d+)(?:\.(\d+))?$/.exec(String(text));
  if (!match) throw new Error(`not a decimal: ${text}`);
  const [, sign, whole = '', decimals = ''] = match;
  const n = BigInt(whole + decimals);
  return { n: sign === '-' ? -n : n, d: 10n ** BigInt(decimals.length) };
}

export const plus = (a: Fraction, b: Fraction): Fraction =>
  a.d === b.d ? { n: a.n + b.n, d: a.d } : { n: a.n * b.d + b.n * a.d, d: a.d * b.d };
export const minus = (a: Fraction, b: Fraction): Fraction => ({ n: a.n * b.d - b.n * a.d, d: a.d * b.d });
export const times = (a: Fraction, b: Fraction): Fraction => ({ n: a.n * b.n, d: a.d * b.d });
export const compare = (a: Fraction, b: Fraction): number => Number(sign(a.n * b.d - b.n * a.d));
export const least = (a: Fraction, b: Fraction): Fraction => (compare(a, b) <= 0 ? a : b);

export function over(a: Fraction, b: Fraction): Fraction {
  if (b.n === 0n) throw new Error('division by zero');
  return b.n < 0n ? { n: -a.n * b.d, d: -a.d * b.n } : { n: a.n * b.d, d: a.d * b.n };
}

export const whole = (n: bigint): Fraction => ({ n, d: 1n });

/** Lowest terms, so that long sums stay small and equal values look equal. */
export function reduced(value: Fraction): Fraction {
  let [a, b] = [value.n < 0n ? -value.n : value.n, value.d];
  while (b !== 0n) [a, b] = [b, a % b];
  return a === 0n ? zero : { n: value.n / a, d: value.d / a };
}

export const sum = (values: readonly Fraction[]): Fraction => values.reduce((total, value) => reduced(plus(total, value)), zero);

/** A value without a currency, such as hours, as a plain decimal without trailing zeros. */
export function plain(value: Fraction): string {
  const { n, d } = reduced(value);
  let places = 0;
  while ((n * 10n ** BigInt(places)) % d !== 0n) {
    places += 1;
    if (places > 40) throw new Error('not a decimal');
  }
  const text = ((n < 0n ? -n : n) * 10n ** BigInt(places) / d).toString().padStart(places + 1, '0'); // prettier-ignore
  return `${n < 0n ? '-' : ''}${places === 0 ? text : `${text.slice(0, -places)}.${text.slice(-places)}`}`;
}

/** Rounds the absolute value and gives the sign back. */
export function rounded(value: Fraction, mode: 'half-up' | 'down'): bigint {
  const size = value.n < 0n ? -value.n : value.n;
  const whole = mode === 'half-up' ? (2n * size + value.d) / (2n * value.d) : size / value.d;
  return value.n < 0n ? -whole : whole;
}

const sign = (value: bigint): bigint => (value < 0n ? -1n : value > 0n ? 1n : 0n);

const digitsOf: Readonly<Record<string, number>> = { JPY: 0, KRW: 0, CLP: 0, VND: 0, KWD: 3, BHD: 3, OMR: 3, JOD: 3, TND: 3 };
const digits = (currency: string): number => digitsOf[currency] ?? 2;

/** An amount as a fraction of minor units, not yet rounded. */
export function inMinor(amount: Fraction, currency: string): Fraction {
  return times(amount, { n: 10n ** BigInt(digits(currency)), d: 1n });
}

/** Minor units of a written amount; it must not have more digits than its currency. */
export function minorOf(text: string, currency: string): bigint {
  const value = inMinor(fraction(text), currency);
  if (value.n % value.d !== 0n) throw new Error(`${text} has more digits than ${currency}`);
  return value.n / value.d;
}

/** `-1250n` USD is `-12.50`. */
export function written(minor: bigint, currency: string): string {
  const places = digits(currency);
  const text = (minor < 0n ? -minor : minor).toString().padStart(places + 1, '0');
  const amount = places === 0 ? text : `${text.slice(0, -places)}.${text.slice(-places)}`;
  return minor < 0n ? `-${amount}` : amount;
}
