import { type TimeAndMaterialsLine } from '../deal/terms';
import { formatMoney, sumMoney, type Money } from '../money';
import { type FollowUpFacts } from './follow-up';
import { type FinishFacts, type OpenPoint } from './model';
import { remainderOf } from './not-to-exceed';

/** While a run is still to come it takes what is left; only after the last one somebody has to decide. */
export function isRunPlanned({ items }: Pick<FollowUpFacts, 'items'>): boolean {
  return items.some((item) => item.kind === 'period-run' && item.state === 'planned');
}

/** Nothing billable is forgotten: time and expenses are billed or waived, and somebody decides about what is parked. */
export function unbilledPoints(line: TimeAndMaterialsLine, facts: Pick<FinishFacts, 'timeAndMaterials'>): OpenPoint[] {
  if (facts.timeAndMaterials === undefined) throw new RangeError(`${line.lineId} needs its unbilled time and expenses`);
  const { time, expenses } = facts.timeAndMaterials;
  const left = time.map((entry) => ({ parked: entry.parked, amount: remainderOf(entry).amount }));
  const parked = left.filter((entry) => entry.parked).map((entry) => entry.amount);
  const waiting = left.filter((entry) => !entry.parked).map((entry) => entry.amount);
  const spent = expenses.map((expense) => expense.amount);
  return [
    ...point(line, 'ParkedTimeUndecided', parked, (sum) => `have the limit raised for the parked ${sum}, or waive it`),
    ...point(line, 'TimeNotBilled', waiting, (sum) => `bill or waive ${sum} of approved time`),
    ...point(line, 'ExpenseNotBilled', spent, (sum) => `bill or waive ${sum} of approved expenses`),
  ];
}

function point(line: TimeAndMaterialsLine, code: string, amounts: readonly Money[], action: (sum: string) => string): OpenPoint[] {
  if (amounts.every((amount) => amount.minor === 0)) return [];
  const sum = written(sumMoney(amounts, line.currency));
  return [{ code, stage: 'billing', subject: line.lineId, ownerRole: 'finance-controller', action: action(sum) }];
}

function written(amount: Money): string {
  return `${formatMoney(amount)} ${amount.currency}`;
}
