import { datesOf, draws, table, weekday } from './tables';

const CLOSED = ['2026-12-25', '2027-01-01', '2027-03-26', '2027-03-29'];

/** A random walk for three currencies from August 2026 to June 2027 on the days on which TARGET is open. Illustrative. */
export function fxRates(seed: number): string {
  const draw = draws(seed);
  const rates = new Map([['GBP', 8612], ['CHF', 9374], ['USD', 11_705]]); // prettier-ignore
  const dates = datesOf('2026-08-03', '2027-06-30').filter((date) => weekday(date) < 5 && !CLOSED.includes(date));
  const rows = dates.flatMap((date) =>
    [...rates.keys()].map((quote) => {
      const rate = (rates.get(quote) ?? 0) + draw(-24, 24);
      rates.set(quote, rate);
      return { date, base: 'EUR', quote, rate: (rate / 10_000).toFixed(4), source: 'illustrative' };
    }),
  );
  return table('date base quote rate source', rows);
}
