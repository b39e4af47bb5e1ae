import { sql, type Transaction } from 'kysely';
import { uuidv7 } from 'uuidv7';
import { closeExceptions, openException } from '../../db/exceptions';
import { insertRows } from '../../db/insert-rows';
import { type LineRow, type PlanItemRow } from '../../db/lines';
import { type DB } from '../../db/types';
import { type Instant } from '../../domain/deal/terms';
import { type TimeAndMaterialsFacts } from '../../domain/engagement/model';
import { type LimitRun } from '../../domain/engagement/not-to-exceed';
import { limitInForce, type LimitInForce } from '../../domain/engagement/not-to-exceed-limit';
import { lineWorkflowId } from '../../domain/ids';
import { type Money } from '../../domain/money';
import { isViolation } from '../../domain/violation';
import { type Unbilled } from './time-and-materials';

export interface TakenRun {
  readonly run: LimitRun;
  readonly unbilled: Unbilled;
  readonly facts: TimeAndMaterialsFacts;
  /** Null where there was nothing to bill. */
  readonly invoiceId: string | null;
  readonly at: Instant;
}

/** Keeps what a run leaves behind (R-127, S-15, S-16): its figures, what it parked, and the prices of what it billed or parked (I-06). */
export async function storeRun(trx: Transaction<DB>, line: LineRow, item: PlanItemRow, taken: TakenRun): Promise<void> {
  const { run, invoiceId, at } = taken;
  await freezePrices(trx, line, taken);
  const runId = uuidv7();
  await trx
    .insertInto('period_run')
    .values({
      id: runId,
      contract_line_id: line.id,
      billing_plan_item_id: item.id,
      period: item.period ?? '',
      invoice_id: invoiceId,
      currency: line.currency,
      limit_minor: run.limit?.minor ?? null,
      billed_fees_minor: run.billedFees.minor,
      billed_to_date_minor: run.billedToDate.minor,
      released_minor: run.releasedFromParked.minor,
      newly_parked_minor: run.newlyParked.minor,
      parked_after_minor: run.parkedAfter.minor,
      soft_limit_entry_id: run.softLimitReachedBy,
      run_at: at,
    })
    .execute();
  const parked = run.parked.map(({ entryId, amount, hours }) => ({ run_id: runId, entry_id: entryId, amount_minor: amount.minor, hours }));
  await insertRows(trx, 'parked_time', parked);
  await noteParked(trx, line, run.parkedAfter, at);
  if (invoiceId !== null) await nameRates(trx, invoiceId);
}

/** Work beyond the limit is a change of scope that somebody decides on, until all of it is billed or given up. */
async function noteParked(trx: Transaction<DB>, line: LineRow, parked: Money, at: Instant): Promise<void> {
  const name = lineWorkflowId(line.id);
  if (parked.minor === 0) return closeExceptions(trx, 'scope-change', [name], at);
  const found = { name, path: 'scope-change', detail: `time of line ${line.line_id} is parked beyond its limit` } as const;
  const { deal_id: dealId, selling_entity_id: entityId, id: contractLineId } = line;
  await openException(trx, { ...found, dealId, entityId, contractLineId, facts: { contractLineId } }, at);
}

/** A void draft leaves no run: its month is run anew, and what no other run has billed or parked is priced anew. */
export async function voidRun(trx: Transaction<DB>, invoiceId: string, at: Instant): Promise<void> {
  const { rows } = await sql<{ lineId: string }>`
    update period_run set void_at = ${at} where invoice_id = ${invoiceId} and void_at is null returning contract_line_id as "lineId"`.execute(
    trx,
  );
  for (const { lineId } of rows) {
    await sql`delete from time_price as price where price.contract_line_id = ${lineId}
        and not exists (select from invoiced_item as item where item.entry_id = price.entry_id)
        and not exists (select from waived_item as waived where waived.entry_id = price.entry_id)
        and not exists (select from parked_time as parked join period_run as run on run.id = parked.run_id
                         where parked.entry_id = price.entry_id and run.void_at is null)`.execute(trx);
    await sql`delete from expense_price as price where price.contract_line_id = ${lineId}
        and not exists (select from waived_item as waived where waived.expense_id = price.expense_id)
        and not exists (select from invoiced_item as item where item.expense_id = price.expense_id)`.execute(trx);
  }
}

/** Keeps the prices of entries and expenses that have none yet: from now on they stay what they are (R-127, S-15). */
export async function keepPrices(
  trx: Transaction<DB>,
  line: LineRow,
  items: { readonly entryIds: ReadonlySet<string>; readonly expenseIds: ReadonlySet<string> },
  unbilled: Unbilled,
  limits: readonly LimitInForce[],
  at: Instant,
): Promise<void> {
  const dates = new Map(unbilled.time.map((entry) => [entry.entryId, entry.workDate]));
  const fresh = [...unbilled.entryPrices].filter(([entryId]) => items.entryIds.has(entryId));
  const prices = fresh.map(([entryId, { rate, upliftPercent, unitPrice, amount }]) => ({
    entry_id: entryId,
    contract_line_id: line.id,
    contract_version: versionOn(limits, dates.get(entryId) ?? '', line.contract_version),
    rate_id: rate.rateId,
    card_id: rate.cardId,
    card_version: rate.cardVersion,
    scope: rate.scope,
    score: rate.score,
    rate: rate.rate,
    uplift_percent: upliftPercent,
    unit_price: unitPrice,
    currency: amount.currency,
    amount_minor: amount.minor,
    frozen_at: at,
  }));
  await insertRows(trx, 'time_price', prices);
  const spent = [...unbilled.expensePrices].filter(([expenseId]) => items.expenseIds.has(expenseId));
  const expensePrices = spent.map(([expenseId, { amount, rate }]) => ({
    expense_id: expenseId,
    contract_line_id: line.id,
    currency: amount.currency,
    amount_minor: amount.minor,
    rate_numerator: rate.numerator,
    rate_denominator: rate.denominator,
    rate_as_of: rate.asOf,
    frozen_at: at,
  }));
  await insertRows(trx, 'expense_price', expensePrices);
}

async function freezePrices(trx: Transaction<DB>, line: LineRow, { run, unbilled, facts, invoiceId, at }: TakenRun): Promise<void> {
  const onDocument =
    invoiceId === null
      ? []
      : await trx
          .selectFrom('invoiced_item')
          .select('expense_id')
          .where('invoice_id', '=', invoiceId)
          .where('expense_id', 'is not', null)
          .execute();
  const entryIds = new Set([...run.billed, ...run.parked].map((part) => part.entryId));
  const expenseIds = new Set(onDocument.flatMap((row) => row.expense_id ?? []));
  await keepPrices(trx, line, { entryIds, expenseIds }, unbilled, facts.limits, at);
}

/** The contract version that priced work of a day; work before the first is priced by that (I-06). */
function versionOn(limits: readonly LimitInForce[], date: string, otherwise: number): number {
  const inForce = limitInForce(limits, date);
  return isViolation(inForce) ? (limits[0]?.contractVersion ?? otherwise) : inForce.contractVersion;
}

/** A document line names the rate of its entries where it is one (S-08). */
async function nameRates(trx: Transaction<DB>, invoiceId: string): Promise<void> {
  await sql`
    update invoice_line as line set rate_id = priced.rate_id
      from (select item.position, min(price.rate_id) as rate_id
              from invoiced_item as item join time_price as price on price.entry_id = item.entry_id
             where item.invoice_id = ${invoiceId}
             group by item.position having count(distinct price.rate_id) = 1) as priced
     where line.invoice_id = ${invoiceId} and line.position = priced.position`.execute(trx);
}
