import { sql, type Kysely } from 'kysely';
import { type LocalDate } from '../domain/deal/terms';
import { type FxRate } from '../domain/fx';
import { type DB } from './types';

/** Rates of currencies that may be needed for any of some dates: all published between the first and the last, and the latest before (S-25). */
export async function ratesForDates(db: Kysely<DB>, currencies: readonly string[], dates: readonly LocalDate[]): Promise<FxRate[]> {
  if (dates.length === 0) return [];
  const first = dates.reduce((a, b) => (b < a ? b : a));
  const last = dates.reduce((a, b) => (b > a ? b : a));
  return db
    .selectFrom('fx_rate as rate')
    .select(['base', 'quote', 'date', 'rate'])
    .where('quote', 'in', [...new Set([...currencies, 'EUR'])])
    .where('date', '<=', last)
    .where(
      sql<boolean>`date >= coalesce((select max(before.date) from fx_rate as before
        where before.base = rate.base and before.quote = rate.quote and before.date <= ${first}::date), ${first}::date)`,
    )
    .orderBy('date')
    .execute();
}
