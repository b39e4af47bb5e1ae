import { type Kysely, type Transaction } from 'kysely';
import { changeOrderOf, lineIdsOf } from '../../../db/change-orders';
import { closeExceptions, type ExceptionRow, settleException } from '../../../db/exceptions';
import { addToBudget, chosenOverspend } from '../../../db/subcontractor-costs';
import { type DB } from '../../../db/types';
import { type Instant } from '../../../domain/deal/terms';
import { type Money, formatMoney } from '../../../domain/money';
import { covered } from '../../../domain/procurement/spend';
import { isViolation, type Violation } from '../../../domain/violation';
import { type LineSpend, lockSpendingLine, measureSpend, type SpendingLine, spendOfLine, toleranceOf } from '../../procurement/spend';
import { raiseEstimate } from '../../procurement/estimate';
import { linkChangeOrder, orderOf } from './change-order';
import { type CarriedOut, type Decided, type Kept, type Outcome, type Wanted } from './table';

/** What is over when an outcome is chosen is what it covers; what comes later is another exception. */
export async function keepOverspend(trx: Transaction<DB>, { row, choiceId }: Kept): Promise<Violation | null> {
  const line = await lineOfException(trx, row);
  const { budget, spent, overspend } = await measured(trx, line);
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
  carryOut: (trx, decided) => raise(trx, decided, 'absorb'),
};

/**
 * The customer pays for it by a change order of the line: when that is in force budget and cost at completion rise, by what others approved;
 * where it ends otherwise, the owner is asked again.
 */
export const coverByChangeOrder: Outcome = {
  ...linkChangeOrder,
  refuse: async (trx, wanted) => {
    // Before the order, as whoever settles that does.
    const line = await lineOfException(trx, wanted.row);
    return (await linkChangeOrder.refuse?.(trx, wanted)) ?? refuseOtherLines(trx, wanted, line);
  },
  keep: keepOverspend,
  carryOut: async (trx, decided) => {
    const { row, choice } = decided;
    await lineOfException(trx, row);
    const order = await orderOf(trx, row, choice);
    if (order?.state === 'applied') return raise(trx, decided, 'change-order');
    return (await linkChangeOrder.refuse?.(trx, { ...decided, choice: asWanted(choice) })) ?? linkChangeOrder.carryOut(trx, decided);
  },
  look: async (trx, decided) => {
    const order = await orderOf(trx, decided.row, decided.choice);
    if (order?.state !== 'applied') return (await linkChangeOrder.look?.(trx, decided)) ?? null;
    return isViolation(await raise(trx, decided, 'change-order')) ? 'lost' : 'settled';
  },
};

/** A change order that changes nothing of the line, and adds no work to it, pays nothing of what it cost. */
async function refuseOtherLines(trx: Transaction<DB>, { row, choice }: Wanted, line: SpendingLine): Promise<Violation | null> {
  const named = await orderOf(trx, row, choice);
  const order = named === undefined ? undefined : await changeOrderOf(trx, line.deal_id, named.id);
  const isOfLine = order !== undefined && (lineIdsOf(order).includes(line.id) || order.tasks.some(({ lineId }) => lineId === line.line_id));
  if (isOfLine) return null;
  return { violation: 'OutcomeWithoutEffect', detail: `${choice.target ?? ''} changes nothing of line ${line.line_id}`, path: '/target' };
}

/** Budget and cost at completion rise by what the outcome covers. */
async function raise(trx: Transaction<DB>, decided: Decided, cause: 'absorb' | 'change-order'): Promise<CarriedOut | Violation> {
  const { row, choice, at } = decided;
  const line = await lineOfException(trx, row);
  const cost = await toCover(trx, decided, line);
  if (isViolation(cost)) return cost;
  const estimate = await raiseEstimate(trx, line.id, { choice, more: cost, at });
  if (isViolation(estimate)) return estimate;
  await addToBudget(trx, { contractLineId: line.id, workPackageId: null, cost, cause, choiceId: choice.id }, at);
  return settledBy(trx, decided, [line], { cost: told(cost), estimateRaised: estimate?.asOf ?? null });
}

/** What was over when the outcome was chosen, as approvers are shown it; the field has a right of its own. Null of other exceptions. */
export async function overspendShown(db: Kysely<DB>, choiceId: string): Promise<Record<string, string> | null> {
  const chosen = await chosenOverspend(db, choiceId);
  if (chosen === null) return null;
  const { budget, spent, overspend } = chosen;
  return { budget: formatMoney(budget), spent: formatMoney(spent), overspend: formatMoney(overspend), currency: overspend.currency };
}

/** What an outcome covers now: never more than was chosen, and never more than is over. */
export async function toCover(trx: Transaction<DB>, { choice }: Decided, line: SpendingLine): Promise<Money | Violation> {
  const chosen = await chosenOverspend(trx, choice.id);
  const { overspend } = await measured(trx, line);
  return chosen === null || overspend === null ? withinBudget(line) : covered(chosen.overspend, overspend);
}

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
  await measureSpend(trx, lines, at);
  return { settles: true, tells: [], details };
}

export function lineOfException(trx: Transaction<DB>, { contract_line_id: contractLineId }: ExceptionRow): Promise<SpendingLine> {
  return lockSpendingLine(trx, contractLineId ?? '');
}

/** The tolerance of policy says when somebody is asked; an exception that is open is about all that is beyond the budget. */
export function measured(trx: Transaction<DB>, line: SpendingLine): Promise<LineSpend> {
  return spendOfLine(trx, line, '0');
}

/** Where policy has come to tolerate what nobody has decided yet, nobody is asked any more: the exception ends by that. */
export async function endTolerated(trx: Transaction<DB>, row: ExceptionRow, at: Instant): Promise<boolean> {
  if (row.path !== 'subcontractor-spend') return false;
  const line = await lineOfException(trx, row);
  const tolerance = await toleranceOf(trx, line, at);
  if (tolerance === null || (await spendOfLine(trx, line, tolerance)).overspend !== null) return false;
  await closeExceptions(trx, row.path, [row.workflow_id], at);
  return true;
}

export function told(cost: Money): string {
  return `${formatMoney(cost)} ${cost.currency}`;
}

function asWanted({ option, target, chosen_by: by }: Decided['choice']) {
  return { option, target, by, findingIds: null, corrected: null };
}
