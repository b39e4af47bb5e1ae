import { type Transaction } from 'kysely';
import { addToBudget, refuseCost } from '../../../db/subcontractor-costs';
import { ratesFor } from '../../../db/parties';
import { type DB } from '../../../db/types';
import { convertSum } from '../../../domain/fx';
import { compareMoney, formatMoney, type Money, negateMoney, subtractMoney } from '../../../domain/money';
import { type CostKind } from '../../../domain/procurement/cost';
import { spendWithout } from '../../../domain/procurement/spend';
import { isViolation, type Violation } from '../../../domain/violation';
import { lockSpendingLine, type SpendingLine } from '../../procurement/spend';
import { keepOverspend, lineOfException, measured, settledBy, toCover, told, withinBudget } from './overspend';
import { type Decided, type Outcome, type Wanted } from './table';

/** Another line of the deal gives of its budget what it has not spent, at the rates of the day where its currency is another. */
export const reallocate: Outcome = {
  refuse: async (trx, wanted) => {
    const line = await lineOfException(trx, wanted.row);
    const { overspend } = await measured(trx, line);
    if (overspend === null) return withinBudget(line);
    const given = await giftOf(trx, wanted, line, overspend);
    return isViolation(given) ? given : null;
  },
  keep: keepOverspend,
  carryOut: async (trx, decided) => {
    const { row, choice, at } = decided;
    const line = await lineOfException(trx, row);
    const cost = await toCover(trx, decided, line);
    if (isViolation(cost)) return cost;
    const given = await giftOf(trx, { row, choice, at }, line, cost);
    if (isViolation(given)) return given;
    const entry = { workPackageId: null, cause: 'reallocate', choiceId: choice.id } as const;
    await addToBudget(trx, { ...entry, contractLineId: given.from.id, cost: negateMoney(given.cost) }, at);
    await addToBudget(trx, { ...entry, contractLineId: line.id, cost }, at);
    return settledBy(trx, decided, [line, given.from], { cost: told(cost), from: given.from.line_id, costGiven: told(given.cost) });
  },
};

type Asked = Pick<Decided, 'row' | 'at'> & { readonly choice: Pick<Wanted['choice'], 'target'> };

/** What the line that is named gives, in its own currency, where it has that much left. */
async function giftOf(
  trx: Transaction<DB>,
  { row, choice, at }: Asked,
  line: SpendingLine,
  needed: Money,
): Promise<{ readonly from: SpendingLine; readonly cost: Money } | Violation> {
  const named = await trx
    .selectFrom('contract_line')
    .select('id')
    .where('deal_id', '=', row.deal_id)
    .where('line_id', '=', choice.target)
    .where('id', '<>', line.id)
    .executeTakeFirst();
  if (named === undefined)
    return { violation: 'LineUnknown', detail: `${choice.target ?? ''} is no other line of the deal`, path: '/target' };
  const from = await lockSpendingLine(trx, named.id);
  const day = at.slice(0, 10);
  const cost = convertSum([needed], from.currency, await ratesFor(trx, [needed.currency, from.currency], day), day, 'half-up');
  if (isViolation(cost)) return cost;
  const { budget, spent } = await measured(trx, from);
  const left = subtractMoney(budget, spent);
  if (compareMoney(left, cost) >= 0) return { from, cost };
  return {
    violation: 'BudgetInsufficient',
    detail: `line ${from.line_id} does not have ${formatMoney(cost)} ${cost.currency} left`,
    path: '/target',
  };
}

/** A commitment is refused, or a bill disputed: it does not count any more. */
export const refuseCommitment: Outcome = withoutCost('commitment');
export const disputeBill: Outcome = withoutCost('bill');

function withoutCost(kind: CostKind): Outcome {
  return {
    refuse: async (trx, wanted) => {
      const found = await countedCost(trx, kind, wanted);
      return isViolation(found) ? found : null;
    },
    keep: keepOverspend,
    carryOut: async (trx, decided) => {
      const found = await countedCost(trx, kind, decided);
      if (isViolation(found)) return found;
      await refuseCost(trx, found.costId, decided.choice.id, decided.at);
      return settledBy(trx, decided, [found.line], { costId: found.costId, kind });
    },
  };
}

async function countedCost(
  trx: Transaction<DB>,
  kind: CostKind,
  { row, choice }: Asked,
): Promise<{ readonly costId: string; readonly line: SpendingLine } | Violation> {
  const line = await lineOfException(trx, row);
  const { costs, spent } = await measured(trx, line);
  const cost = costs.find((each) => each.costId === choice.target);
  if (cost === undefined)
    return {
      violation: 'SubcontractorCostUnknown',
      detail: `${choice.target ?? ''} is no cost of line ${line.line_id}`,
      path: '/target',
    };
  if (cost.kind !== kind) return { violation: 'CostKindUnfit', detail: `${cost.costId} is a ${cost.kind}`, path: '/target' };
  const { costId } = cost;
  if (compareMoney(spendWithout(costs, costId, line.currency).spent, spent) < 0) return { costId, line };
  return { violation: 'OutcomeWithoutEffect', detail: `without ${costId} as much is spent`, path: '/target' };
}
