import { type LocalDate } from '../deal/terms';
import { plus, sum, times, type Decimal } from '../decimal';
import { roundToMoney, type Money } from '../money';
import { type HourType } from '../time-policy/entry';
import { isViolation, type Violation } from '../violation';
import { type RateBook } from './rate-book';
import { resolveRate, type RateQuery, type ResolvedRate } from './resolve';

/** A percentage on the rate of a line; the first and the last day are included. */
export interface Uplift {
  readonly lineId: string;
  readonly kind: 'overtime' | 'rest_day' | 'onsite';
  readonly percent: Decimal;
  readonly validFrom: LocalDate;
  readonly validTo: LocalDate;
}

/** What decides the uplifts of an entry. */
export interface UpliftedWork {
  readonly lineId: string;
  readonly workDate: LocalDate;
  readonly hourType: HourType;
  readonly onsite: boolean;
}

/** The price of an entry with everything that explains it: rate and rule that won, uplift, exact unit price, rounded amount. */
export interface EntryPrice {
  readonly rate: ResolvedRate;
  readonly upliftPercent: Decimal;
  readonly unitPrice: Decimal;
  readonly amount: Money;
}

/** Sum of the uplifts that apply on the work date: by hour type, and for work on site (R-111, S-05). */
export function upliftPercent(uplifts: readonly Uplift[], work: UpliftedWork): Decimal {
  const applying = uplifts.filter(
    (uplift) =>
      uplift.lineId === work.lineId &&
      uplift.validFrom <= work.workDate &&
      work.workDate <= uplift.validTo &&
      (uplift.kind === 'onsite' ? work.onsite : uplift.kind === work.hourType),
  );
  return sum(applying.map((uplift) => uplift.percent));
}

/** Rate × (1 + uplift / 100), exact (R-111, S-05). */
export function unitPrice(rate: Decimal, uplift: Decimal): Decimal {
  return times(rate, plus('1', times(uplift, '0.01')));
}

/** Hours × unit price, rounded half-up to the minor unit for each entry, in every entity (R-112, S-06). */
export function entryAmount(hours: Decimal, price: Decimal, currency: string): Money {
  return roundToMoney(times(hours, price), currency, 'half-up');
}

/** The price of an entry (R-110 to R-112, S-04 to S-06); refuses as `resolveRate` does. */
export function priceEntry(
  book: RateBook,
  uplifts: readonly Uplift[],
  work: UpliftedWork & { readonly hours: Decimal },
  query: RateQuery,
): EntryPrice | Violation {
  const rate = resolveRate(book, query);
  if (isViolation(rate)) return rate;
  const uplift = upliftPercent(uplifts, work);
  const price = unitPrice(rate.rate, uplift);
  return { rate, upliftPercent: uplift, unitPrice: price, amount: entryAmount(work.hours, price, rate.currency) };
}
