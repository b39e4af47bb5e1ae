import { type Transaction } from 'kysely';
import { type DealRow } from '../../db/deals';
import { ratesFor } from '../../db/parties';
import { type DB } from '../../db/types';
import { asSoldMargin, type CostedEstimate, type LineMargin } from '../../domain/deal/margin';
import { type DealTerms, type LocalDate } from '../../domain/deal/terms';
import { divide, plus, times, type Decimal } from '../../domain/decimal';
import { crossRate, type FxRate } from '../../domain/fx';
import { isViolation, type Violation } from '../../domain/violation';

/** Digits to which an average cost rate is carried: beyond every currency, before the one rounding of the margin. */
const COST_DIGITS = 10;

/** Margin as sold on the documented cost basis: the average cost rate, valid on signature, of the people with the role. */
export async function dealMargin(
  trx: Transaction<DB>,
  deal: DealRow,
  terms: DealTerms,
  groupCurrency: string,
  date: LocalDate,
): Promise<{ readonly lines: readonly LineMargin[]; readonly blendedPercent: Decimal | null } | Violation> {
  const estimates = await trx.selectFrom('deal_estimate').selectAll().where('deal_id', '=', deal.id).orderBy('task_id').execute();
  const costs = await trx
    .selectFrom('cost_rate as cost')
    .innerJoin('person', 'person.id', 'cost.person_id')
    .select(['person.role_code', 'person.entity_id', 'cost.currency', 'cost.rate_per_hour'])
    .where('cost.valid_from', '<=', terms.signedDate)
    .where((eb) => eb.or([eb('cost.valid_to', 'is', null), eb('cost.valid_to', '>=', terms.signedDate)]))
    .execute();
  const currencies = [groupCurrency, ...terms.lines.map((line) => line.currency), ...costs.map((cost) => cost.currency)];
  const rates = await ratesFor(trx, currencies, date);
  const costed: CostedEstimate[] = [];
  for (const estimate of estimates) {
    const line = terms.lines.find((each) => each.lineId === estimate.line_id);
    if (!line) continue;
    const ofRole = costs.filter((cost) => cost.role_code === estimate.role_code);
    const own = ofRole.filter((cost) => cost.entity_id === line.sellingEntityId);
    const costPerHour = average(own.length > 0 ? own : ofRole, line.currency, rates, date);
    if (isViolation(costPerHour)) return costPerHour;
    costed.push({ lineId: line.lineId, roleCode: estimate.role_code, hours: estimate.estimate_hours, costPerHour });
  }
  return asSoldMargin(terms, costed, rates, groupCurrency, date);
}

function average(
  costs: readonly { readonly currency: string; readonly rate_per_hour: Decimal }[],
  currency: string,
  rates: readonly FxRate[],
  date: LocalDate,
): Decimal | null | Violation {
  if (costs.length === 0) return null;
  let total = '0';
  for (const cost of costs) {
    const rate = crossRate(rates, cost.currency, currency, date);
    if (isViolation(rate)) return rate;
    total = plus(total, divide(times(cost.rate_per_hour, rate.numerator), rate.denominator, COST_DIGITS, 'half-up'));
  }
  return divide(total, String(costs.length), COST_DIGITS, 'half-up');
}
