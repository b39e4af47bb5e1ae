import { type LocalDate } from './deal/terms';
import { divide, isZero, plus, times, type Decimal, type RoundingMode } from './decimal';
import { minorDigits, roundToMoney, toDecimal, type Money } from './money';
import { isViolation, type Violation } from './violation';

/** One published rate: `rate` units of `quote` for one `base`. */
export interface FxRate {
  readonly date: LocalDate;
  readonly base: string;
  readonly quote: string;
  readonly rate: Decimal;
}

/** Units of `to` for one `from`, as the exact ratio numerator / denominator; `asOf` is the older publication date of the rates used. */
export interface CrossRate {
  readonly from: string;
  readonly to: string;
  readonly numerator: Decimal;
  readonly denominator: Decimal;
  readonly asOf: LocalDate;
}

/** Every cross rate goes through this currency (S-25). */
const PIVOT = 'EUR';

/**
 * The rate of a date: the latest published on or before it, cross rates through EUR and without rounding (R-026, S-25).
 * Refuses with `FxRateMissing` where a currency has no rate on or before the date.
 */
export function crossRate(rates: readonly FxRate[], from: string, to: string, date: LocalDate): CrossRate | Violation {
  if (from === to) return { from, to, numerator: '1', denominator: '1', asOf: date };
  const source = latest(rates, from, date);
  if (isViolation(source)) return source;
  const target = latest(rates, to, date);
  if (isViolation(target)) return target;
  const asOf = source.date < target.date ? source.date : target.date;
  return { from, to, numerator: target.rate, denominator: source.rate, asOf };
}

/** An amount in the other currency, rounded once to its minor unit (R-026, S-25). Throws where the amount is not in the rate's currency. */
export function convert(amount: Money, rate: CrossRate, mode: RoundingMode): Money {
  if (amount.currency !== rate.from) throw new RangeError(`a rate from ${rate.from} cannot convert ${amount.currency}`);
  const major = divide(times(toDecimal(amount), rate.numerator), rate.denominator, minorDigits(rate.to), mode);
  return roundToMoney(major, rate.to, mode);
}

/** Sum of amounts in any currencies, in `currency` at the rates of `date`: added exactly, rounded once at the end (R-026, S-25). */
export function convertSum(
  amounts: readonly Money[],
  currency: string,
  rates: readonly FxRate[],
  date: LocalDate,
  mode: RoundingMode,
): Money | Violation {
  let total = { numerator: '0', denominator: '1' };
  for (const amount of amounts) {
    const rate = crossRate(rates, amount.currency, currency, date);
    if (isViolation(rate)) return rate;
    total = {
      numerator: plus(times(total.numerator, rate.denominator), times(times(toDecimal(amount), rate.numerator), total.denominator)),
      denominator: times(total.denominator, rate.denominator),
    };
  }
  return roundToMoney(divide(total.numerator, total.denominator, minorDigits(currency), mode), currency, mode);
}

/** The currencies that cannot be converted into `to` on a date for want of a rate on or before it, in order; amounts in `to` itself need none. */
export function currenciesWithoutRate(rates: readonly FxRate[], currencies: readonly string[], to: string, date: LocalDate): string[] {
  const foreign = currencies.filter((currency) => currency !== to);
  const needed = foreign.length === 0 ? [] : [...new Set([...foreign, to])];
  return needed.filter((currency) => isViolation(latest(rates, currency, date))).sort();
}

function latest(rates: readonly FxRate[], currency: string, date: LocalDate): { date: LocalDate; rate: Decimal } | Violation {
  if (currency === PIVOT) return { date, rate: '1' };
  let found: FxRate | null = null;
  for (const rate of rates) {
    if (rate.base !== PIVOT || rate.quote !== currency || rate.date > date || isZero(rate.rate)) continue;
    if (found === null || rate.date > found.date) found = rate;
  }
  return found ?? { violation: 'FxRateMissing', detail: `no rate ${PIVOT}/${currency} on or before ${date}` };
}
