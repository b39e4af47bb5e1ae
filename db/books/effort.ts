import { sql, type Kysely } from 'kysely';
import { costByMonth, costIn, effortToDate, type CostOfMonth, type Effort, type Forecast } from '../../domain/accounting/effort';
import { lastOfMonth, monthOf, monthsBetween } from '../../domain/calendar/dates';
import { type Instant, type LocalDate, type Month } from '../../domain/deal/terms';
import { plus, type Decimal } from '../../domain/decimal';
import { expenseBilling } from '../../domain/expense-policy/billed-amount';
import { reviewExpenses } from '../../domain/expense-policy/review';
import { toDecimal } from '../../domain/money';
import { isViolation, type Violation } from '../../domain/violation';
import { ratesForDates } from '../fx-window';
import { type LineRow } from '../lines';
import { expensePolicies } from '../policy-facts';
import { type DB } from '../types';
import { expenseOf } from '../unbilled';

/** Up to which month effort counts, and before which moment it must have been approved. */
export interface EffortScope {
  readonly asOf: Month;
  readonly approvedBefore: Instant;
}

/** Effort of a line that is recognised by percent complete, as S-26 and S-40 count it. */
export async function effortOf(db: Kysely<DB>, line: LineRow, scope: EffortScope): Promise<Effort | Violation> {
  const measure = line.terms.revenueMethod === 'hours-percent-complete' ? 'hours' : 'cost';
  const time = await timeByMonth(db, line, scope);
  const unpriced = time.find((each) => each.unpriced !== null);
  if (measure === 'cost' && unpriced) return { violation: 'CostRateMissing', detail: `${unpriced.unpriced} in ${unpriced.month}` };
  const byMonth = measure === 'hours' ? hoursByMonth(time) : await costs(db, line, time, scope);
  if (isViolation(byMonth)) return byMonth;
  const estimates = await estimatesOf(db, line, measure, scope);
  if (isViolation(estimates)) return estimates;
  const months = monthsBetween(monthOf(line.terms.startDate), scope.asOf);
  return effortToDate(months, byMonth, estimates, monthOf(line.terms.endDate));
}

interface TimeOfMonth {
  readonly month: Month;
  readonly currency: string | null;
  readonly hours: Decimal;
  readonly amount: Decimal | null;
  /** Somebody without a cost rate on a day of work. */
  readonly unpriced: string | null;
}

/** Approved time without rework; of an entry that was handed in twice the earlier one counts (S-20). Blocked and unbillable time costs too (S-40). */
async function timeByMonth(db: Kysely<DB>, line: LineRow, { asOf, approvedBefore }: EffortScope): Promise<TimeOfMonth[]> {
  const { rows } = await sql<TimeOfMonth>`
    select to_char(entry.work_date, 'YYYY-MM') as month, cost.currency, sum(entry.hours)::text as hours,
           sum(entry.hours * cost.rate_per_hour)::text as amount, min(entry.person_id) filter (where cost.person_id is null) as unpriced
      from time_entry as entry
      left join cost_rate as cost on cost.person_id = entry.person_id and cost.valid_from <= entry.work_date
                                 and (cost.valid_to is null or cost.valid_to >= entry.work_date)
     where entry.contract_line_id = ${line.id} and entry.status = 'approved' and not entry.rework
       and entry.approved_at < ${approvedBefore} and entry.work_date <= ${lastOfMonth(asOf)}
       and not exists (
         select from time_entry as earlier
          where earlier.person_id = entry.person_id and earlier.work_date = entry.work_date and earlier.work_task_id = entry.work_task_id
            and earlier.hour_type = entry.hour_type and earlier.hours = entry.hours and earlier.status <> 'rejected'
            and (earlier.submitted_at, earlier.entry_id) < (entry.submitted_at, entry.entry_id))
     group by 1, 2 order by 1, 2`.execute(db);
  return rows;
}

function hoursByMonth(time: readonly TimeOfMonth[]): Map<Month, Decimal> {
  const byMonth = new Map<Month, Decimal>();
  for (const { month, hours } of time) byMonth.set(month, plus(byMonth.get(month) ?? '0', hours));
  return byMonth;
}

async function costs(
  db: Kysely<DB>,
  line: LineRow,
  time: readonly TimeOfMonth[],
  scope: EffortScope,
): Promise<Map<Month, Decimal> | Violation> {
  const costOfTime: CostOfMonth[] = time.flatMap(({ month, currency, amount }) =>
    currency === null || amount === null ? [] : [{ month, currency, amount }],
  );
  const dates = costOfTime.map(({ month }) => lastOfMonth(month));
  const rates = await ratesForDates(db, [line.currency, ...costOfTime.map(({ currency }) => currency)], dates);
  const byMonth = costByMonth(costOfTime, line.currency, rates);
  if (isViolation(byMonth)) return byMonth;
  const spent = await costOfExpenses(db, line, scope);
  if (isViolation(spent)) return spent;
  for (const [month, cost] of spent) byMonth.set(month, plus(byMonth.get(month) ?? '0', cost));
  return byMonth;
}

/** Approved expenses of the line without an error, net of recoverable tax, each converted on its date and rounded (S-23, S-26). */
async function costOfExpenses(
  db: Kysely<DB>,
  line: LineRow,
  { asOf, approvedBefore }: EffortScope,
): Promise<Map<Month, Decimal> | Violation> {
  const own = db.selectFrom('expense as own').select('own.person_id').where('own.contract_line_id', '=', line.id);
  const rows = await db.selectFrom('expense').selectAll().where('person_id', 'in', own).orderBy('expense_id').execute();
  if (rows.length === 0) return new Map();
  const expenses = rows.map((row) => expenseOf(row, row.contract_line_id));
  const policies = await expensePolicies(db);
  const currencies = [line.currency, ...rows.map((row) => row.currency), ...policies.map((policy) => policy.currency)];
  const rates = await ratesForDates(
    db,
    currencies,
    rows.map((row) => row.spend_date),
  );
  const reviews = reviewExpenses(expenses, { policies, fxRates: rates, timeZoneOf: () => 'UTC' });
  const exempt = await exemptExpenses(db, line);
  const isFaulty = ({ expenseId, errors }: (typeof reviews)[number]) => errors.some((code) => !exempt.has(`${expenseId}/${code}`));
  const faulty = new Set(reviews.filter(isFaulty).map(({ expenseId }) => expenseId));
  const inLineCurrency = expenseBilling(line.currency, rates);
  const byMonth = new Map<Month, Decimal>();
  for (const expense of expenses) {
    const counts =
      expense.lineId === line.id &&
      expense.status === 'approved' &&
      !faulty.has(expense.expenseId) &&
      expense.spendDate <= lastOfMonth(asOf) &&
      Date.parse(expense.approvedAt ?? '') < Date.parse(approvedBefore);
    if (!counts) continue;
    const cost = inLineCurrency(expense);
    if (isViolation(cost)) return cost;
    const month = monthOf(expense.spendDate);
    byMonth.set(month, plus(byMonth.get(month) ?? '0', toDecimal(cost.amount)));
  }
  return byMonth;
}

/** Errors of expenses that an approved outcome set aside: they are billed, so they are cost. */
async function exemptExpenses(db: Kysely<DB>, line: LineRow): Promise<ReadonlySet<string>> {
  const rows = await db
    .selectFrom('policy_finding')
    .select(['reference', 'code'])
    .where('deal_id', '=', line.deal_id)
    .where('kind', '=', 'expense')
    .where('exempted_by', 'is not', null)
    .execute();
  return new Set(rows.map(({ reference, code }) => `${reference}/${code}`));
}

/** The last estimate stated for each month end, in the currency of the line at the rate of that day. */
async function estimatesOf(
  db: Kysely<DB>,
  line: LineRow,
  measure: 'cost' | 'hours',
  { asOf }: EffortScope,
): Promise<Map<Month, Decimal> | Violation> {
  const rows = await db
    .selectFrom('cost_forecast')
    .distinctOn('as_of')
    .select(['as_of', 'estimate_to_complete', 'currency'])
    .where('contract_line_id', '=', line.id)
    .where('measure', '=', measure)
    .where('as_of', '<=', lastOfMonth(asOf))
    .orderBy('as_of')
    .orderBy('stated_at', 'desc')
    .execute();
  const forecasts = rows.map((row): Forecast => ({ asOf: row.as_of, toComplete: row.estimate_to_complete, currency: row.currency }));
  const foreign = forecasts.flatMap(({ currency }) => (currency === null || currency === line.currency ? [] : [currency]));
  const dates: LocalDate[] = foreign.length === 0 ? [] : forecasts.map((each) => each.asOf);
  const rates = await ratesForDates(db, [line.currency, ...foreign], dates);
  const estimates = new Map<Month, Decimal>();
  for (const { asOf: date, toComplete, currency } of forecasts) {
    const cost = currency === null ? toComplete : costIn(toComplete, currency, line.currency, rates, date);
    if (isViolation(cost)) return cost;
    estimates.set(monthOf(date), cost);
  }
  return estimates;
}
