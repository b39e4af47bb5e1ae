import { type Transaction } from 'kysely';
import { type DealRow } from '../../db/deals';
import { plannedBudgets } from '../../db/delivery-plan';
import { ratesFor } from '../../db/parties';
import { addToBudget } from '../../db/subcontractor-costs';
import { type DB } from '../../db/types';
import { type Instant, type LineTerms } from '../../domain/deal/terms';
import { convertSum } from '../../domain/fx';
import { type Money, parseMoney } from '../../domain/money';
import { isViolation, type Violation } from '../../domain/violation';

/** What the plan sets aside for subcontractors of a line becomes part of its baseline, in its currency at the rates of the signature. */
export async function createSubcontractorBudget(
  trx: Transaction<DB>,
  deal: DealRow,
  contractLineId: string,
  { lineId, currency }: LineTerms,
  at: Instant,
): Promise<Violation | null> {
  const planned = (await plannedBudgets(trx, deal.id)).filter((each) => each.lineId === lineId);
  for (const { workPackageId, cost: text, currency: of } of planned) {
    const cost = await inCurrency(trx, parseMoney(text, of), currency, deal.signed_date);
    if (isViolation(cost)) return cost;
    await addToBudget(trx, { contractLineId, workPackageId, cost, cause: 'baseline', choiceId: null }, at);
  }
  return null;
}

async function inCurrency(trx: Transaction<DB>, cost: Money | Violation, currency: string, day: string): Promise<Money | Violation> {
  if (isViolation(cost) || cost.currency === currency) return cost;
  return convertSum([cost], currency, await ratesFor(trx, [cost.currency, currency], day), day, 'half-up');
}
