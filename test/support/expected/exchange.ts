import { fraction, over, times, whole, type Fraction } from './fraction';
import { type Row } from './folder';

/** An amount of one currency in another at the rate of a date, not rounded. */
export type Exchange = (amount: Fraction, from: string, to: string, date: string) => Fraction;

/** Rates of the latest day on or before the date; two currencies meet through the base of the file (S-25). Throws where there is none. */
export function exchangeOf(rates: readonly Row[]): Exchange {
  const base = rates[0]?.base ?? '';
  const byQuote = new Map<string, Row[]>();
  for (const row of rates) {
    if (row.base !== base) throw new Error(`rates with two bases, ${base} and ${row.base}`);
    byQuote.set(row.quote ?? '', [...(byQuote.get(row.quote ?? '') ?? []), row]);
  }
  for (const list of byQuote.values()) list.sort((a, b) => ((a.date ?? '') < (b.date ?? '') ? -1 : 1));
  const perBase = (currency: string, date: string): Fraction => {
    if (currency === base) return whole(1n);
    const row = byQuote.get(currency)?.findLast((each) => (each.date ?? '') <= date);
    if (!row) throw new Error(`no rate of ${currency} on ${date}`);
    return fraction(row.rate ?? '');
  };
  return (amount, from, to, date) => (from === to ? amount : over(times(amount, perBase(to, date)), perBase(from, date)));
}
