import { type Transaction } from 'kysely';
import { ratesForDates } from '../../db/fx-window';
import { type LineRow } from '../../db/lines';
import { type DB } from '../../db/types';
import {
  billedFees,
  creditedFees,
  isSoftLimitReported,
  unbilledExpenses,
  unbilledTime,
  withheldItems,
  type UnbilledTime,
} from '../../db/unbilled';
import { limitTimeline } from '../../domain/engagement/dated-terms';
import {
  type BillableExpenseFact,
  type PricedTimeFact,
  type TimeAndMaterialsFacts,
  type WithheldItem,
} from '../../domain/engagement/model';
import { type RunWindow } from '../../domain/engagement/time-and-materials-plan';
import { expenseBilling, type BilledExpense } from '../../domain/expense-policy/billed-amount';
import { type EntryPrice } from '../../domain/rates/price';
import { isViolation } from '../../domain/violation';
import { pricingOf, type Pricing } from './pricing';

/** What of a line is left to bill, and the prices that were found for it now; frozen ones are not among them. */
export interface Unbilled {
  readonly time: readonly PricedTimeFact[];
  readonly expenses: readonly BillableExpenseFact[];
  readonly unpriced: readonly WithheldItem[];
  readonly entryPrices: ReadonlyMap<string, EntryPrice>;
  readonly expensePrices: ReadonlyMap<string, BilledExpense>;
}

/**
 * Billable time and expenses of a line that are neither billed nor waived, priced; a frozen price stays. Of a run,
 * only the time that it may take.
 */
export async function unbilledOf(
  trx: Transaction<DB>,
  line: LineRow,
  run?: { readonly window: RunWindow; readonly pricing: Pricing | null },
): Promise<Unbilled> {
  const entries = await unbilledTime(trx, line, run?.window);
  const isFresh = entries.some((entry) => entry.price === null);
  const price = isFresh ? (run?.pricing ?? (await pricingOf(trx, line))) : null;
  const entryPrices = new Map<string, EntryPrice>();
  const unpriced: WithheldItem[] = [];
  const time = entries.flatMap((entry): PricedTimeFact[] => {
    if (entry.price !== null) return [factOf(entry, entry.price)];
    const found = price?.(entry);
    if (found === undefined || isViolation(found)) {
      unpriced.push({ itemId: entry.entryId, date: entry.workDate, reason: 'rate-unresolved' });
      return [];
    }
    entryPrices.set(entry.entryId, found);
    return [factOf(entry, found)];
  });
  const spent = await expensesOf(trx, line);
  return { time, ...spent, unpriced: [...unpriced, ...spent.unpriced], entryPrices };
}

/** The facts of a run. `plannedItemKeys` are those of the line's items that are still to be billed or voided. */
export async function timeAndMaterialsFacts(
  trx: Transaction<DB>,
  line: LineRow,
  unbilled: Unbilled,
  plannedItemKeys: readonly string[],
): Promise<TimeAndMaterialsFacts> {
  return {
    time: unbilled.time,
    expenses: unbilled.expenses,
    withheld: [...(await withheldItems(trx, line)), ...unbilled.unpriced],
    limits: line.terms.engagementModel === 'time-and-materials' ? limitTimeline(line.terms, line.contract.signedDate) : [],
    billedFees: await billedFees(trx, line),
    creditedFees: await creditedFees(trx, line),
    softLimitReported: await isSoftLimitReported(trx, line.id),
    plannedItemKeys,
  };
}

async function expensesOf(trx: Transaction<DB>, line: LineRow): Promise<Pick<Unbilled, 'expenses' | 'expensePrices' | 'unpriced'>> {
  const rows = await unbilledExpenses(trx, line);
  const dates = rows.map((row) => row.spendDate);
  const fxRates = await ratesForDates(trx, [line.currency, ...rows.map((row) => row.gross.currency)], dates);
  const billed = expenseBilling(line.currency, fxRates);
  const expensePrices = new Map<string, BilledExpense>();
  const unpriced: WithheldItem[] = [];
  const expenses = rows.flatMap((expense): BillableExpenseFact[] => {
    const price = billed(expense);
    if (isViolation(price)) {
      unpriced.push({ itemId: expense.expenseId, date: expense.spendDate, reason: 'fx-rate-missing' });
      return [];
    }
    expensePrices.set(expense.expenseId, price);
    const { expenseId, category, spendDate, approvedAt } = expense;
    return [{ expenseId, category, spendDate, approvedAt: approvedAt ?? '', amount: price.amount }];
  });
  return { expenses, expensePrices, unpriced };
}

function factOf(entry: UnbilledTime, { unitPrice, amount }: Pick<EntryPrice, 'unitPrice' | 'amount'>): PricedTimeFact {
  const { entryId, personId, roleCode, workDate, hours, approvedAt, parked } = entry;
  return { entryId, personId, roleCode, workDate, hours, approvedAt, parked, unitPrice, amount, billedParts: entry.gone };
}
