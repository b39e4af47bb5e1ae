import { type Kysely } from 'kysely';
import { ratesFor } from '../db/parties';
import { type DB } from '../db/types';
import { lastOfMonth, monthOf } from '../domain/calendar/dates';
import { divide, plus, sum, times, type Decimal } from '../domain/decimal';
import { crossRate } from '../domain/fx';
import { minorDigits, money, roundToMoney, subtractMoney, sumMoney, toDecimal, type Money } from '../domain/money';
import { isViolation } from '../domain/violation';

/** What a line has brought so far: net billed, revenue as recognised, cost of approved time, and what is left. All amounts are in the line's currency. */
export interface LineResult {
  readonly lineId: string;
  readonly engagementModel: string;
  readonly billedNet: Money;
  readonly revenue: Money;
  readonly hours: Decimal;
  readonly cost: Money;
  readonly margin: Money;
  /** Of the revenue, to one decimal; null where there is none. */
  readonly marginPercent: Decimal | null;
}

/** Digits to which an hour's cost is carried in another currency, before the one rounding of a line. */
const COST_DIGITS = 10;

/**
 * Margin per line on the revenue in the books: less approved hours × the person's cost rate of the day of work, converted at the rate of the
 * month's end, rounded half-up once per line.
 */
export async function lineResults(db: Kysely<DB>, dealId: string): Promise<LineResult[]> {
  const lines = await db.selectFrom('contract_line').selectAll().where('deal_id', '=', dealId).orderBy('line_id').execute();
  return Promise.all(
    lines.map(async (line) => {
      const billed = await db
        .selectFrom('invoice')
        .select('net_minor')
        .where('contract_line_id', '=', line.id)
        .where('state', 'in', ['issued', 'settled', 'credited'])
        .execute();
      const billedNet = sumMoney(
        billed.map((row) => money(row.net_minor, line.currency)),
        line.currency,
      );
      const revenue = await revenueOf(db, line.id, line.currency);
      const { hours, cost } = await costOfTime(db, line.id, line.currency);
      const margin = subtractMoney(revenue, cost);
      const percent = revenue.minor === 0 ? null : divide(times(toDecimal(margin), '100'), toDecimal(revenue), 1, 'half-up');
      return {
        lineId: line.line_id,
        engagementModel: line.engagement_model,
        billedNet,
        revenue,
        hours,
        cost,
        margin,
        marginPercent: percent,
      };
    }),
  );
}

async function revenueOf(db: Kysely<DB>, lineId: string, currency: string): Promise<Money> {
  const { minor } = await db
    .selectFrom('revenue_by_line_month')
    .select((eb) => eb.fn.sum<number | null>('revenue_minor').as('minor'))
    .where('contract_line_id', '=', lineId)
    .where('book', '=', 'primary')
    .executeTakeFirstOrThrow();
  return money(Number(minor ?? 0), currency);
}

async function costOfTime(db: Kysely<DB>, lineId: string, currency: string): Promise<{ hours: Decimal; cost: Money }> {
  const rows = await db
    .selectFrom('time_entry as time')
    .innerJoin('cost_rate as cost', 'cost.person_id', 'time.person_id')
    .select(['time.hours', 'time.work_date', 'cost.rate_per_hour', 'cost.currency'])
    .where('time.contract_line_id', '=', lineId)
    .where('time.status', '=', 'approved')
    .whereRef('cost.valid_from', '<=', 'time.work_date')
    .where((eb) => eb.or([eb('cost.valid_to', 'is', null), eb('cost.valid_to', '>=', eb.ref('time.work_date'))]))
    .execute();
  const total = new Map<string, Decimal>();
  for (const row of rows) {
    const key = `${row.currency} ${monthOf(row.work_date)}`;
    total.set(key, plus(total.get(key) ?? '0', times(row.hours, row.rate_per_hour)));
  }
  let cost = '0';
  for (const [key, amount] of total) cost = plus(cost, await converted(db, amount, key.slice(0, 3), currency, lastOfMonth(key.slice(4))));
  const hours = sum(rows.map((row) => row.hours));
  return { hours, cost: roundToMoney(cost, currency, 'half-up') };
}

async function converted(db: Kysely<DB>, amount: Decimal, from: string, to: string, date: string): Promise<Decimal> {
  const rate = crossRate(await ratesFor(db, [from, to], date), from, to, date);
  if (isViolation(rate)) throw new Error(rate.detail);
  return divide(times(amount, rate.numerator), rate.denominator, COST_DIGITS + minorDigits(to), 'half-up');
}
