import { type InvoiceDraft } from '../billing/invoice';
import { type Month } from '../deal/terms';
import { plus, sum } from '../decimal';
import { allocate, subtractMoney, toDecimal } from '../money';
import { isViolation, type Violation } from '../violation';
import { termsInMonth } from './dated-terms';
import { draftOf, periodOf } from './drafting';
import { type BilledHours, type FollowUp, type FollowUpFacts } from './follow-up';
import { type BillingPlanItem, type ItemisedDraftLine, type OpenPoint } from './model';
import { partItemId } from './not-to-exceed';
import {
  isOpen,
  openPoint,
  overageAmount,
  overageMonths,
  overageParts,
  type OverageMonth,
  type OverageState,
  type StandingRetainer,
} from './overage';
import { nextRun } from './schedule';

/**
 * The document of a run (R-180, S-10): the hours of its month that nobody billed or waived, of what was approved before its cut-off,
 * whenever the run takes place. Null where there are none, or where their price rounds to nothing.
 */
export function draftOfOverage(line: StandingRetainer, item: BillingPlanItem, facts: OverageState): InvoiceDraft | null {
  const period = periodOf(item);
  const cutOff = item.trigger.kind === 'moment' ? item.trigger.draftAt : undefined;
  const month = overageMonths(line, facts, cutOff).find((each) => each.period === period);
  if (month === undefined) throw new RangeError(`${period} is no month of ${line.lineId}`);
  const parts = overageParts(line, facts, month, cutOff);
  const late = item.itemKey === firstKey(period) ? '' : ', approved later';
  return draftOf(item, line.currency, period, parts.length === 0 ? [] : [overageLine(line, month, parts, late)]);
}

/** The net that a run would bill; zero where there is nothing. */
export function netOfOverage(line: StandingRetainer, item: BillingPlanItem, facts: OverageState): number {
  return draftOfOverage(line, item, facts)?.lines.reduce((net, each) => net + each.amountMinor, 0) ?? 0;
}

/**
 * What comes after the run of its month (R-180, R-181, S-10): hours still to bill go to the next run, one item per month of work and run.
 * Where more is billed than was used nothing is credited in silence, and what no entry carries is not billed: finance decides.
 */
export function overageFollowUp(line: StandingRetainer, facts: FollowUpFacts): FollowUp | Violation {
  const items: BillingPlanItem[] = [];
  const open: OpenPoint[] = [];
  for (const month of overageMonths(line, facts)) {
    if (isPlanned(facts, month.period) || !isOpen(line, month)) continue;
    const parts = overageParts(line, facts, month);
    if (parts.length === 0) open.push(openPoint(line, month));
    else {
      const item = lateItem(line, facts, month.period);
      if (isViolation(item)) return item;
      items.push(item);
    }
  }
  return { items, open };
}

function overageLine(line: StandingRetainer, month: OverageMonth, parts: readonly BilledHours[], late: string): ItemisedDraftLine {
  const hours = parts.map((part) => part.hours);
  const quantity = sum(hours);
  const terms = termsInMonth(line, month.period);
  const amount = subtractMoney(overageAmount(terms, plus(month.billed, quantity)), overageAmount(terms, month.billed));
  const amounts = allocate(amount, hours);
  return {
    description: `${line.name}, hours beyond the retainer ${month.period}${late}`,
    quantity,
    unit: 'hour',
    unitPrice: toDecimal(terms.overageRatePerHour),
    amountMinor: amount.minor,
    itemKind: 'time-entry',
    itemIds: parts.map((part) => partItemId(part.entryId, part.part)),
    items: parts.map((part, index) => ({
      itemId: partItemId(part.entryId, part.part),
      amountMinor: amounts[index]?.minor ?? 0,
      hours: part.hours,
    })),
  };
}

function isPlanned({ items }: FollowUpFacts, period: Month): boolean {
  return items.some((item) => item.kind === 'retainer-overage' && item.period === period && item.state === 'planned');
}

function lateItem(line: StandingRetainer, { items, context, at }: FollowUpFacts, period: Month): BillingPlanItem | Violation {
  const trigger = nextRun(period, context, at);
  if (isViolation(trigger)) return trigger;
  const known = items.filter(({ itemKey }) => itemKey === firstKey(period) || itemKey.startsWith(`${firstKey(period)}/`)).length;
  const number = known + 1;
  return {
    itemKey: `${firstKey(period)}/${number}`,
    lineId: line.lineId,
    kind: 'retainer-overage',
    period,
    trigger,
    reference: `${context.shortCode}-${line.lineId}-${period}-OV${number}`,
    amount: null,
  };
}

function firstKey(period: Month): string {
  return `overage/${period}`;
}
