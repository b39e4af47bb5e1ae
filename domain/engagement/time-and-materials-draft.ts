import { documentKindOf, type InvoiceDraft } from '../billing/invoice';
import { type Month, type TimeAndMaterialsLine } from '../deal/terms';
import { compare, sum } from '../decimal';
import { percentOf, sumMoney, type Money } from '../money';
import { type BillableExpenseFact, type BillingPlanItem, type DraftItem, type ItemisedDraftLine, type PricedTimeFact } from './model';
import { type RunPart } from './not-to-exceed';

/** A billed part with what groups it on the document. */
export type PricedPart = RunPart & Pick<PricedTimeFact, 'personId' | 'roleCode' | 'unitPrice'>;

/**
 * The document of a run: time by person, role and unit price, the discount on fees, expenses by category (R-123, S-08, S-09). Lines and
 * items that came to zero stay, so that they count as billed; null where the whole comes to nothing.
 */
export function draftOfRun(
  line: TimeAndMaterialsLine,
  item: BillingPlanItem,
  period: Month,
  parts: readonly PricedPart[],
  expenses: readonly BillableExpenseFact[],
): InvoiceDraft | null {
  const fees = sumMoney(
    parts.map((part) => part.amount),
    line.currency,
  );
  const lines = [...timeLines(line, period, parts), ...discountLine(line, fees), ...expenseLines(line, period, expenses)];
  const documentKind = documentKindOf(lines.reduce((net, each) => net + each.amountMinor, 0));
  if (documentKind === null) return null;
  return { documentKind, kind: item.kind, lineId: item.lineId, period, reference: item.reference, currency: line.currency, lines };
}

/** Discount on the fees of a document, half-up; expenses are not discounted (R-123, S-09). */
export function feeDiscount(line: TimeAndMaterialsLine, fees: Money): Money {
  return percentOf(fees, line.feeDiscountPercent ?? '0', 'half-up');
}

function timeLines(line: TimeAndMaterialsLine, period: Month, parts: readonly PricedPart[]): ItemisedDraftLine[] {
  const groups = grouped(parts, (part) => JSON.stringify([part.personId, part.roleCode, part.unitPrice]));
  return groups.sort(byPersonRoleAndPrice).map(([first, own]) => ({
    ...itemised(
      'time-entry',
      own.map((part) => ({ itemId: part.itemId, amountMinor: part.amount.minor, hours: part.hours })),
    ),
    description: `${line.name} ${period}: ${first.roleCode}`,
    personId: first.personId,
    roleCode: first.roleCode,
    quantity: sum(own.map((part) => part.hours)),
    unit: 'hour',
    unitPrice: first.unitPrice,
  }));
}

function discountLine(line: TimeAndMaterialsLine, fees: Money): ItemisedDraftLine[] {
  const discount = feeDiscount(line, fees);
  if (discount.minor === 0) return [];
  const description = `${line.name}: discount of ${line.feeDiscountPercent ?? '0'} % on the fees`;
  return [{ description, quantity: null, unit: null, unitPrice: null, amountMinor: -discount.minor, items: [] }];
}

function expenseLines(line: TimeAndMaterialsLine, period: Month, expenses: readonly BillableExpenseFact[]): ItemisedDraftLine[] {
  const groups = grouped(expenses, (expense) => expense.category);
  return groups
    .sort(([a], [b]) => order(a.category, b.category))
    .map(([{ category }, own]) => ({
      ...itemised(
        'expense',
        own.map((expense) => ({ itemId: expense.expenseId, amountMinor: expense.amount.minor, hours: null })),
      ),
      description: `${line.name} ${period}: expenses, ${category}`,
      quantity: null,
      unit: null,
      unitPrice: null,
    }));
}

/** A line is exactly the sum of its items (R-123, S-08, I-04). */
function itemised(
  itemKind: string,
  items: readonly DraftItem[],
): Pick<ItemisedDraftLine, 'amountMinor' | 'items'> & { itemKind: string; itemIds: string[] } {
  const amountMinor = items.reduce((total, each) => total + each.amountMinor, 0);
  return { itemKind, itemIds: items.map((each) => each.itemId), items, amountMinor };
}

/** Groups in the order of their first member, each with that member. */
function grouped<Each>(list: readonly Each[], keyOf: (each: Each) => string): [Each, Each[]][] {
  const groups = new Map<string, [Each, Each[]]>();
  for (const each of list) {
    const own = groups.get(keyOf(each));
    if (own === undefined) groups.set(keyOf(each), [each, [each]]);
    else own[1].push(each);
  }
  return [...groups.values()];
}

function byPersonRoleAndPrice([a]: readonly [PricedPart, unknown], [b]: readonly [PricedPart, unknown]): number {
  return order(a.personId, b.personId) || order(a.roleCode, b.roleCode) || compare(a.unitPrice, b.unitPrice);
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
