import { sql, type Kysely, type Selectable } from 'kysely';
import { type LocalDate } from '../domain/deal/terms';
import { type Decimal } from '../domain/decimal';
import { type BilledPart } from '../domain/engagement/not-to-exceed';
import { type RunWindow } from '../domain/engagement/time-and-materials-plan';
import { type WithheldItem } from '../domain/engagement/model';
import { type Expense } from '../domain/expense-policy/expense';
import { money, type Money } from '../domain/money';
import { type EntryPrice } from '../domain/rates/price';
import { type HourType } from '../domain/time-policy/entry';
import { utc } from './instant-text';
import { type LineRow } from './lines';
import { type DB } from './types';

type ExpenseRow = Selectable<DB['expense']>;

/** Work as far as its price depends on it. */
export interface PriceableWork {
  readonly entryId: string;
  readonly personId: string;
  readonly roleCode: string;
  readonly serviceLine: string;
  readonly workDate: LocalDate;
  readonly hourType: HourType;
  readonly hours: Decimal;
  readonly workCountry: string;
  readonly onsite: boolean;
}

/** Billable time of which something is left; `price` is null until a run has billed or parked it. A waived part has number 0; one that a credit keeps back keeps its own. */
export interface UnbilledTime extends PriceableWork {
  readonly approvedAt: string;
  readonly price: (Pick<EntryPrice, 'unitPrice' | 'amount'> & { readonly rateId: string }) | null;
  readonly gone: readonly BilledPart[];
  readonly parked: boolean;
}

/**
 * Approved, billable time of a line without a blocking finding of which something is neither billed nor waived (S-07, S-15), not worked
 * after the line was stopped (R-182). Set-wise: the history is added up, only what is left comes out, of a run only what it may take.
 */
export async function unbilledTime(db: Kysely<DB>, line: LineRow, window?: RunWindow): Promise<UnbilledTime[]> {
  const { rows } = await sql<Omit<UnbilledTime, 'price' | 'gone'> & PriceColumns>`
    with gone as (
      select piece.entry_id, sum(piece.amount_minor) as amount_minor, json_agg(piece) as parts
        from (select item.entry_id, item.part, item.amount_minor, item.hours::text as hours
                from invoiced_item as item join time_price using (entry_id)
               where time_price.contract_line_id = ${line.id} and item.credited_by is null
              union all
              select waived.entry_id, 0, waived.amount_minor, waived.hours::text
                from waived_item as waived join time_price using (entry_id) where time_price.contract_line_id = ${line.id}
              union all
              select thing.entry_id, coalesce(item.part, 0), thing.amount_minor, thing.hours::text
                from credited_thing as thing join time_price using (entry_id)
                left join invoiced_item as item on item.id = thing.invoiced_item_id
               where time_price.contract_line_id = ${line.id} and thing.fate <> 'rebill') as piece
       group by piece.entry_id
    )
    select entry.entry_id as "entryId", entry.person_id as "personId", entry.role_code as "roleCode", entry.work_date as "workDate",
           entry.hour_type as "hourType", entry.hours, entry.work_country as "workCountry", entry.onsite, ${utc('entry.approved_at')} as "approvedAt",
           package.service_line as "serviceLine", price.rate_id as "rateId", price.unit_price as "unitPrice",
           price.amount_minor as "amountMinor", gone.parts,
           exists (select from parked_time as parked join period_run as run on run.id = parked.run_id
                    where parked.entry_id = entry.entry_id and run.void_at is null) as parked
      from time_entry as entry
      join work_task as task on task.id = entry.work_task_id
      join work_package as package on package.id = task.work_package_id
      left join time_price as price on price.entry_id = entry.entry_id
      left join gone on gone.entry_id = entry.entry_id
     where entry.contract_line_id = ${line.id} and entry.status = 'approved' and entry.billable and not entry.rework
       and (gone.entry_id is null or gone.amount_minor < price.amount_minor)
       and (${line.stopped_on}::date is null or entry.work_date <= ${line.stopped_on}::date)
       and ${window === undefined ? sql`true` : sql`(entry.work_date <= ${window.lastDay} and entry.approved_at < ${window.cutOff})`}
       and not exists (${blockingFinding(line, 'time')} and finding.reference = entry.entry_id)
     order by entry.work_date, entry.entry_id`.execute(db);
  return rows.map(({ rateId, unitPrice, amountMinor, parts, ...entry }) => ({
    ...entry,
    price: rateId === null ? null : { rateId, unitPrice, amount: money(amountMinor, line.currency) },
    gone: (parts ?? []).map((part) => ({ part: part.part, amount: money(part.amount_minor, line.currency), hours: part.hours })),
  }));
}

interface PriceColumns {
  readonly rateId: string | null;
  readonly unitPrice: string;
  readonly amountMinor: number;
  readonly parts: readonly { readonly part: number; readonly amount_minor: number; readonly hours: string }[] | null;
}

/** An open finding of a line that keeps what it names from being billed. */
function blockingFinding(line: LineRow, kind: 'time' | 'expense') {
  return sql`select from policy_finding as finding
              where finding.deal_id = ${line.deal_id} and finding.kind = ${kind} and finding.blocking and finding.closed_at is null`;
}

/** Approved, billable expenses of a line without an error that are neither billed nor waived (S-07, S-23, S-24). */
export async function unbilledExpenses(db: Kysely<DB>, line: LineRow): Promise<Expense[]> {
  if (!line.terms.expensesBillable) return [];
  const rows = await db
    .selectFrom('expense')
    .selectAll()
    .where('contract_line_id', '=', line.id)
    .where('status', '=', 'approved')
    .where('billable', '=', true)
    .where(sql<boolean>`(${line.stopped_on}::date is null or spend_date <= ${line.stopped_on}::date)`)
    .where(
      sql<boolean>`not exists (select from invoiced_item as item where item.expense_id = expense.expense_id and item.credited_by is null)`,
    )
    .where(sql<boolean>`not exists (select from waived_item as waived where waived.expense_id = expense.expense_id)`)
    .where(
      sql<boolean>`not exists (select from credited_thing as thing where thing.expense_id = expense.expense_id and thing.fate <> 'rebill')`,
    )
    .where(sql<boolean>`not exists (${blockingFinding(line, 'expense')} and finding.reference = expense.expense_id)`)
    .orderBy('spend_date')
    .orderBy('expense_id')
    .execute();
  return rows.map((row) => expenseOf(row, line.line_id));
}

export function expenseOf(row: ExpenseRow, lineId: string): Expense {
  return {
    expenseId: row.expense_id,
    personId: row.person_id,
    lineId,
    spendDate: row.spend_date,
    country: row.country,
    category: row.category,
    quantity: row.quantity,
    unit: row.unit,
    gross: money(row.amount_gross_minor, row.currency),
    recoverableTax: money(row.recoverable_tax_minor, row.currency),
    receipt: row.receipt,
    justification: row.justification,
    billable: row.billable,
    status: row.status as Expense['status'],
    submittedAt: row.submitted_at,
    approvedAt: row.approved_at,
  };
}

/**
 * Time and expenses of a line that would be billed but wait for somebody: not approved, blocked, without a rate, in error (R-125). What was
 * settled to stay unbilled waits for nobody (R-315).
 */
export async function withheldItems(db: Kysely<DB>, line: LineRow): Promise<WithheldItem[]> {
  const { rows } = await sql<WithheldItem>`
    with blocked as (
      select finding.kind, finding.reference, array_agg(finding.code) as codes from policy_finding as finding
       where finding.deal_id = ${line.deal_id} and finding.contract_line_id = ${line.id} and finding.blocking and finding.closed_at is null
         and finding.upheld_by is null
       group by finding.kind, finding.reference
    )
    select entry_id as "itemId", work_date as date, 'time-not-approved' as reason from time_entry
     where contract_line_id = ${line.id} and status = 'submitted' and billable and not rework
    union all
    select entry_id, work_date, case when codes = array['RATE_UNRESOLVED'] then 'rate-unresolved' else 'time-blocked' end
      from blocked join time_entry on entry_id = reference
     where kind = 'time' and status = 'approved' and billable and not rework
    union all
    select expense_id, spend_date, 'expense-not-approved' from expense
     where contract_line_id = ${line.id} and status = 'submitted' and billable and ${line.terms.expensesBillable}
    union all
    select expense_id, spend_date, case when 'FX_RATE_MISSING' = any(codes) then 'fx-rate-missing' else 'expense-error' end
      from blocked join expense on expense_id = reference
     where kind = 'expense' and status = 'approved' and billable and ${line.terms.expensesBillable}`.execute(db);
  return rows;
}

/** Fees of a line on uncredited documents, before discount, without expenses (S-09, S-15). */
export async function billedFees(db: Kysely<DB>, line: Pick<LineRow, 'id' | 'currency'>): Promise<Money> {
  const row = await db
    .selectFrom('invoiced_item as item')
    .innerJoin('invoice', 'invoice.id', 'item.invoice_id')
    .select((eb) => eb.fn.sum<number | null>('item.amount_minor').as('minor'))
    .where('invoice.contract_line_id', '=', line.id)
    .where('item.entry_id', 'is not', null)
    .where('item.credited_by', 'is', null)
    .executeTakeFirstOrThrow();
  return money(Number(row.minor ?? 0), line.currency);
}

/** Fees of a line that corrections took off and that are not billed once more (R-211). */
export async function creditedFees(db: Kysely<DB>, line: Pick<LineRow, 'id' | 'currency'>): Promise<Money> {
  const row = await db
    .selectFrom('credited_thing as thing')
    .innerJoin('invoice', 'invoice.id', 'thing.invoice_id')
    .select((eb) => eb.fn.sum<number | null>('thing.amount_minor').as('minor'))
    .where('invoice.contract_line_id', '=', line.id)
    .where('thing.entry_id', 'is not', null)
    .where('thing.fate', '<>', 'rebill')
    .executeTakeFirstOrThrow();
  return money(Number(row.minor ?? 0), line.currency);
}

export async function isSoftLimitReported(db: Kysely<DB>, contractLineId: string): Promise<boolean> {
  const row = await db
    .selectFrom('period_run')
    .select('id')
    .where('contract_line_id', '=', contractLineId)
    .where('soft_limit_entry_id', 'is not', null)
    .where('void_at', 'is', null)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

/** Time of a line beyond its limit as it stands. */
export async function parkedOf(db: Kysely<DB>, line: Pick<LineRow, 'id' | 'currency'>): Promise<{ entries: number; amount: Money }> {
  const row = await db
    .selectFrom('parked_entry')
    .select((eb) => [eb.fn.countAll<number>().as('entries'), eb.fn.sum<number | null>('amount_minor').as('minor')])
    .where('contract_line_id', '=', line.id)
    .executeTakeFirstOrThrow();
  return { entries: Number(row.entries), amount: money(Number(row.minor ?? 0), line.currency) };
}
