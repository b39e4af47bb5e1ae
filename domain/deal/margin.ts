import { compare, divide, isNegative, minus, plus, sum, times, type Decimal } from '../decimal';
import { crossRate, type CrossRate, type FxRate } from '../fx';
import { toDecimal } from '../money';
import { isViolation, type Violation } from '../violation';
import { lineAmount } from './amount';
import { type DealTerms, type LineTerms, type LocalDate } from './terms';

/**
 * Planned hours of a role on a line and what an hour costs, in the currency of the line. The documented cost basis: the average of the cost
 * rates, valid on the signature date, of the people with that role who are employed by the selling entity (the whole group where it has
 * none), converted to the line's currency at the rate of that date. `costPerHour` is null where nobody has the role.
 */
export interface CostedEstimate {
  readonly lineId: string;
  readonly roleCode: string;
  readonly hours: Decimal;
  readonly costPerHour: Decimal | null;
}

/** Price and cost as exact decimals in the line's currency; null where unknown. */
export interface LineMargin {
  readonly lineId: string;
  readonly currency: string;
  readonly price: Decimal | null;
  readonly cost: Decimal | null;
  readonly marginPercent: Decimal | null;
}

/** Digits of a published margin; rounded down (towards the worse), so that "below the threshold" is decided as by the exact ratio. */
const PERCENT_DIGITS = 6;

/**
 * Margin as sold, per line and blended over the lines whose margin is known, in percent of the price after discount; null where there is no
 * estimate, a role has no cost, or the price is zero or unknown (R-024, RULES Pricing: margin per line and blended; S-44). The blend converts
 * price and cost to the group currency at the rates of `date`; nothing is rounded before the last division.
 */
export function asSoldMargin(
  deal: DealTerms,
  estimates: readonly CostedEstimate[],
  rates: readonly FxRate[],
  groupCurrency: string,
  date: LocalDate,
): { readonly lines: readonly LineMargin[]; readonly blendedPercent: Decimal | null } | Violation {
  const lines = deal.lines.map((line) => lineMargin(line, estimates));
  const known = lines.filter((line) => line.marginPercent !== null);
  let total = { price: '0', cost: '0', denominator: '1' };
  for (const line of known) {
    const rate = crossRate(rates, line.currency, groupCurrency, date);
    if (isViolation(rate)) return rate;
    total = {
      price: addRatio(total.price, total.denominator, line.price ?? '0', rate),
      cost: addRatio(total.cost, total.denominator, line.cost ?? '0', rate),
      denominator: times(total.denominator, rate.denominator),
    };
  }
  return { lines, blendedPercent: marginPercent(total.price, total.cost) };
}

/** The highest discount that any line of the deal gives, in percent; `'0'` where none does (R-024: a blend would hide it). */
export function highestDiscountPercent(deal: DealTerms): Decimal {
  return deal.lines.reduce<Decimal>((highest, line) => {
    const discount = line.feeDiscountPercent ?? '0';
    return compare(discount, highest) > 0 ? discount : highest;
  }, '0');
}

function lineMargin(line: LineTerms, estimates: readonly CostedEstimate[]): LineMargin {
  const own = estimates.filter((estimate) => estimate.lineId === line.lineId);
  const unknown = own.length === 0 || own.some((estimate) => estimate.costPerHour === null);
  const cost = unknown ? null : sum(own.map((estimate) => times(estimate.hours, estimate.costPerHour ?? '0')));
  const price = priceOf(line);
  const percent = price === null || cost === null ? null : marginPercent(price, cost);
  return { lineId: line.lineId, currency: line.currency, price, cost, marginPercent: percent };
}

/** Margin of a line at a cost, in percent of its price after discount, rounded as margins are; null where the price is unknown or nothing. */
export function marginAtCost(line: LineTerms, cost: Decimal): Decimal | null {
  const price = priceOf(line);
  return price === null ? null : marginPercent(price, cost);
}

/** After discount; null where it is unknown. */
function priceOf(line: LineTerms): Decimal | null {
  const amount = lineAmount(line);
  return amount === null ? null : divide(times(toDecimal(amount), minus('100', line.feeDiscountPercent ?? '0')), '100', 30, 'down');
}

function marginPercent(price: Decimal, cost: Decimal): Decimal | null {
  if (compare(price, '0') <= 0) return null;
  const profit = times(minus(price, cost), '100');
  if (!isNegative(profit)) return divide(profit, price, PERCENT_DIGITS, 'down');
  const down = divide(profit, price, PERCENT_DIGITS, 'down');
  const exact = compare(times(down, price), profit) === 0;
  return exact ? down : minus(down, divide('1', `1${'0'.repeat(PERCENT_DIGITS)}`, PERCENT_DIGITS, 'down'));
}

function addRatio(numerator: Decimal, denominator: Decimal, amount: Decimal, rate: CrossRate): Decimal {
  return plus(times(numerator, rate.denominator), times(times(amount, rate.numerator), denominator));
}
