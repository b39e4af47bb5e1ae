import { type Kysely, type Transaction } from 'kysely';
import { type ExceptionRow, settleException } from '../../../db/exceptions';
import { addToBudget, chosenOverspend } from '../../../db/subcontractor-costs';
import { type DB } from '../../../db/types';
import { type Money, formatMoney } from '../../../domain/money';
import { covered } from '../../../domain/procurement/spend';
import { isViolation, type Violation } from '../../../domain/violation';
import { lockSpendingLine, measureSpend, type SpendingLine, spendOfLine, toleranceOf } from '../../procurement/spend';
import { raiseEstimate } from '../../procurement/estimate';
import { linkChangeOrder, orderOf } from './change-order';
import { type CarriedOut, type Decided, type Kept, type Outcome } from './table';

/** What is over when an outcome is chosen is what it covers; what comes later is another exception. */
export async function keepOverspend(trx: Transaction<DB>, { row, choiceId, at }: Kept): Promise<Violation | null> {
  const line = await lineOfException(trx, row);
  const { budget, spent, overspend } = await measured(trx, line, at);
  if (overspend === null) return withinBudget(line);
  await trx
    .insertInto('subcontractor_overspend')
    .values({
      choice_id: choiceId,
      budget_minor: budget.minor,
      spent_minor: spent.minor,
      overspend_minor: overspend.minor,
      currency: overspend.currency,
    })
    .execute();
  return null;
}

/** The firm takes it upon itself: budget and cost at completion rise by it. */
export const absorbSpend: Outcome = {
  keep: keepOverspend,
  carryOut: async (trx, decided) => {
    const { row, choice, at } = decided;
    const line = await lineOfException(trx, row);
    const cost = await toCover(trx, decided, line);
    if (isViolation(cost)) return cost;
    const estimate = await raiseEstimate(trx, line.id, { by: choice.chosen_by, more: cost, at });
    if (isViolation(estimate)) return estimate;
    await addToBudget(trx, { contractLineId: line.id, workPackageId: null, cost, cause: 'absorb', choiceId: choice.id }, at);
    return settledBy(trx, decided, [line], { cost: told(cost), estimateRaised: estimate?.asOf ?? null });
  },
};

/** The customer pays for it by a change order: the budget rises when that is in force; where it ends otherwise, the owner is asked again. */
export const coverByChangeOrder: Outcome = {
  ...linkChangeOrder,
  keep: keepOverspend,
  carryOut: async (trx, decided) => {
    const { row, choice } = decided;
    const order = await orderOf(trx, row, choice);
    if (order?.state === 'applied') return cover(trx, decided);
    return (await linkChangeOrder.refuse?.(trx, { ...decided, choice: asWanted(choice) })) ?? linkChangeOrder.carryOut(trx, decided);
  },
  look: async (trx, decided) => {
    const order = await orderOf(trx, decided.row, decided.choice);
    if (order?.state !== 'applied') return (await linkChangeOrder.look?.(trx, decided)) ?? null;
    const done = await cover(trx, decided);
    return isViolation(done) ? 'lost' : 'settled';
  },
};

async function cover(trx: Transaction<DB>, decided: Decided): Promise<CarriedOut | Violation> {
  const line = await lineOfException(trx, decided.row);
  const cost = await toCover(trx, decided, line);
  if (isViolation(cost)) return cost;
  const entry = { contractLineId: line.id, workPackageId: null, cost, cause: 'change-order', choiceId: decided.choice.id } as const;
  await addToBudget(trx, entry, decided.at);
  return settledBy(trx, decided, [line], { cost: told(cost) });
}

/** What was over when the outcome was chosen, as approvers are shown it; the field has a right of its own. Null of other exceptions. */
export async function overspendShown(db: Kysely<DB>, choiceId: string): Promise<Record<string, string> | null> {
  const chosen = await chosenOverspend(db, choiceId);
  if (chosen === null) return null;
  const { budget, spent, overspend } = chosen;
  return { budget: formatMoney(budget), spent: formatMoney(spent), overspend: formatMoney(overspend), currency: overspend.currency };
}

/** What an outcome covers now: never more than was chosen, and never more than is over. */
export async function toCover(trx: Transaction<DB>, { choice, at }: Decided, line: SpendingLine): Promise<Money | Violation> {
  const chosen = await chosenOverspend(trx, choice.id);
  const { overspend } = await measured(trx, line, at);
  return chosen === null || overspend === null ? withinBudget(line) : covered(chosen.overspend, overspend);
}

/** Also where the tolerance of policy was raised since. */
export function withinBudget({ line_id: lineId }: SpendingLine): Violation {
  return { violation: 'OutcomeWithoutEffect', detail: `line ${lineId} is within its budget` };
}

/** The outcome has settled it; what is over still, or somewhere else by it, is another exception. */
export async function settledBy(
  trx: Transaction<DB>,
  { row, choice, at }: Decided,
  lines: readonly SpendingLine[],
  details: Record<string, unknown>,
): Promise<CarriedOut> {
  await settleException(trx, row.id, choice.option, at);
  for (const line of lines) await measureSpend(trx, line, at);
  return { settles: true, tells: [], details };
}

export function lineOfException(trx: Transaction<DB>, { contract_line_id: contractLineId }: ExceptionRow): Promise<SpendingLine> {
  return lockSpendingLine(trx, contractLineId ?? '');
}

/** Without a policy nothing would be over, so there would be no exception. */
export async function measured(trx: Transaction<DB>, line: SpendingLine, at: string) {
  return spendOfLine(trx, line, (await toleranceOf(trx, line, at)) ?? '0');
}

export function told(cost: Money): string {
  return `${formatMoney(cost)} ${cost.currency}`;
}

function asWanted({ option, target, chosen_by: by }: Decided['choice']) {
  return { option, target, by, findingIds: null, corrected: null };
}
