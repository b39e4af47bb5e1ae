import { documentKindOf, type InvoiceDraft, type InvoiceDraftLine } from '../billing/invoice';
import { type Month } from '../deal/terms';
import { toDecimal } from '../money';
import { type Violation } from '../violation';
import { type BillingFacts, type BillingPlanItem } from './model';
import { termsInMonth } from './dated-terms';
import { addOnsOf, feeOfAddOn, feeOfMonth, type MonthlyLine } from './schedule';

/** A document of the lines that carry an amount; null where they come to nothing (R-034, S-13, S-18: zero amounts make no line). */
export function draftOf(item: BillingPlanItem, currency: string, period: Month, lines: readonly InvoiceDraftLine[]): InvoiceDraft | null {
  const filled = lines.filter((line) => line.amountMinor !== 0);
  const documentKind = documentKindOf(filled.reduce((net, line) => net + line.amountMinor, 0));
  if (documentKind === null) return null;
  return { documentKind, kind: item.kind, lineId: item.lineId, period, reference: item.reference, currency, lines: filled };
}

/** The document of a monthly fee, with a line for each add-on; a month in part names its price only as an amount (R-034, R-193, S-13). */
export function draftOfFee(line: MonthlyLine, item: BillingPlanItem, period: Month): InvoiceDraft | null {
  const fee = feeOfMonth(line, period);
  const whole = fee.minor === termsInMonth(line, period).monthlyFee.minor;
  return draftOf(item, line.currency, period, [
    {
      description: whole ? `${line.name}, monthly fee ${period}` : `${line.name}, fee for the days of service in ${period}`,
      quantity: whole ? '1' : null,
      unit: whole ? 'month' : null,
      unitPrice: whole ? toDecimal(fee) : null,
      amountMinor: fee.minor,
      itemKind: 'service-month',
      itemIds: [`${line.lineId}/${period}`],
    },
    ...addOnsOf(line).map((addOn) => ({
      description: `${line.name}, ${addOn.addOnId} ${period}`,
      quantity: null,
      unit: null,
      unitPrice: null,
      amountMinor: feeOfAddOn(line, addOn, period).minor,
      itemKind: 'service-add-on',
      itemIds: [`${line.lineId}/${addOn.addOnId}/${period}`],
    })),
  ]);
}

/** No item is billed twice (R-034, S-10, I-05). */
export function billedBefore(item: BillingPlanItem, facts: BillingFacts): Violation | null {
  return facts.billedItemKeys.includes(item.itemKey) ? { violation: 'AlreadyBilled', detail: item.reference } : null;
}

/** An item that the model never planned is a bug of the caller. */
export function periodOf(item: BillingPlanItem): Month {
  if (item.period === null) throw new RangeError(`item ${item.itemKey} has no period`);
  return item.period;
}
