import { sql, type RawBuilder, type Selectable, type Transaction } from 'kysely';
import { ratesForDates } from '../../db/fx-window';
import { lineOf, type LineRow } from '../../db/lines';
import { expenseOf, type PriceableWork } from '../../db/unbilled';
import { type DB } from '../../db/types';
import { expenseBilling } from '../../domain/expense-policy/billed-amount';
import { type Money } from '../../domain/money';
import { isViolation } from '../../domain/violation';
import { pricingOf } from '../line/pricing';

/** Items of which prices are looked up and written down in one go. */
const AT_ONCE = 5000;

/** Which items: those that joined and have no amount yet, or all that an outcome is for. */
type Which = { readonly joined: string } | { readonly chosenBy: string };

interface Valued {
  readonly id: string;
  readonly amount: Money | null;
}

/**
 * Writes down what open items of a line would be billed at by the prices that stand: time that is sold by the hour, and expenses. Other
 * time, and what has no rate, has no amount. In blocks, so that memory does not grow with the items.
 */
export async function valueItems(trx: Transaction<DB>, contractLineId: string, which: Which): Promise<void> {
  const line = await lineOf(trx, contractLineId);
  const ofThese =
    'joined' in which
      ? sql<boolean>`item.exception_id = ${which.joined} and item.amount_minor is null`
      : sql<boolean>`item.choice_id = ${which.chosenBy}`;
  if (line.engagement_model === 'time-and-materials') {
    const pricing = await pricingOf(trx, line);
    await inBlocks(trx, line, (after) => timeItems(trx, ofThese, after), (rows) =>
      Promise.resolve(
        rows.map((row) => {
          const price = pricing(row);
          return { id: row.id, amount: isViolation(price) ? null : price.amount };
        }),
      ),
    ); // prettier-ignore
  }
  await inBlocks(
    trx,
    line,
    (after) => expenseItems(trx, ofThese, after),
    (rows) => expenseAmounts(trx, line, rows),
  );
}

async function inBlocks<Row extends { readonly id: string }>(
  trx: Transaction<DB>,
  { currency }: LineRow,
  read: (after: string) => Promise<readonly Row[]>,
  value: (rows: readonly Row[]) => Promise<readonly Valued[]>,
): Promise<void> {
  for (let after = '00000000-0000-0000-0000-000000000000'; ;) {
    const rows = await read(after);
    const last = rows.at(-1);
    if (last === undefined) return;
    const values = (await value(rows)).map(({ id, amount }) => ({ id, amount: amount?.minor ?? null }));
    await sql`
      update exception_item as item set amount_minor = valued.amount, currency = case when valued.amount is not null then ${currency} end
        from json_to_recordset(${JSON.stringify(values)}::json) as valued (id uuid, amount bigint)
       where item.finding_id = valued.id and item.settled_at is null
         and item.amount_minor is distinct from valued.amount`.execute(trx);
    if (rows.length < AT_ONCE) return;
    after = last.id;
  }
}

async function timeItems(trx: Transaction<DB>, ofThese: RawBuilder<boolean>, after: string) {
  const { rows } = await sql<PriceableWork & { id: string }>`
    select item.finding_id as id, entry.entry_id as "entryId", entry.person_id as "personId", entry.role_code as "roleCode",
           entry.work_date as "workDate", entry.hour_type as "hourType", entry.hours, entry.work_country as "workCountry", entry.onsite,
           package.service_line as "serviceLine"
      from exception_item as item
      join policy_finding as finding on finding.id = item.finding_id and finding.kind = 'time'
      join time_entry as entry on entry.entry_id = finding.reference
      join work_task as task on task.id = entry.work_task_id
      join work_package as package on package.id = task.work_package_id
     where ${ofThese} and item.settled_at is null and item.finding_id > ${after}::uuid
     order by item.finding_id limit ${AT_ONCE}`.execute(trx);
  return rows;
}

type ExpenseItem = Selectable<DB['expense']> & { readonly id: string };

async function expenseItems(trx: Transaction<DB>, ofThese: RawBuilder<boolean>, after: string) {
  const { rows } = await sql<ExpenseItem>`
    select item.finding_id as id, expense.*
      from exception_item as item
      join policy_finding as finding on finding.id = item.finding_id and finding.kind = 'expense'
      join expense on expense.expense_id = finding.reference
     where ${ofThese} and item.settled_at is null and item.finding_id > ${after}::uuid
     order by item.finding_id limit ${AT_ONCE}`.execute(trx);
  return rows;
}

async function expenseAmounts(trx: Transaction<DB>, line: LineRow, rows: readonly ExpenseItem[]): Promise<Valued[]> {
  const currencies = [line.currency, ...rows.map((row) => row.currency)];
  const dates = rows.map((row) => row.spend_date);
  const billed = expenseBilling(line.currency, await ratesForDates(trx, currencies, dates));
  return rows.map((row) => {
    const found = billed(expenseOf(row, line.line_id));
    return { id: row.id, amount: isViolation(found) ? null : found.amount };
  });
}
