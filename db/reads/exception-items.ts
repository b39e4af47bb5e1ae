import { sql, type Kysely } from 'kysely';
import { formatMoney } from '../../domain/money';
import { type DB } from '../types';
import { keyAt, type Page, pageOf, type PageRequest } from './page';

/** A record of an exception. */
export interface ExceptionItemView {
  readonly id: string;
  readonly kind: 'time' | 'expense';
  readonly code: string;
  readonly reference: string;
  readonly personId: string;
  readonly date: string | null;
  readonly hours: string | null;
  readonly amount: string | null;
  readonly currency: string | null;
  readonly addedAt: string;
  readonly choiceId: string | null;
  readonly settledAt: string | null;
  readonly settledAs: string | null;
}

type Found = Omit<ExceptionItemView, 'amount'> & { readonly amountMinor: number | null };

/** Items of an exception, in the order in which their breaches were found; what they are worth only where that may be seen. */
export async function listExceptionItems(
  db: Kysely<DB>,
  exceptionId: string,
  { open, personId, worth }: { readonly open: boolean; readonly personId?: string | undefined; readonly worth: boolean },
  page: PageRequest,
): Promise<Page<ExceptionItemView>> {
  const after = page.after === null ? sql`true` : sql`item.finding_id > ${keyAt(page, 0)}::uuid`;
  const { rows } = await sql<Found>`
    select item.finding_id as id, finding.kind, finding.code, finding.reference, finding.person_id as "personId",
           coalesce(entry.work_date, expense.spend_date) as date, entry.hours, item.amount_minor as "amountMinor", item.currency,
           item.added_at as "addedAt", item.choice_id as "choiceId", item.settled_at as "settledAt", item.settled_as as "settledAs"
      from exception_item as item
      join policy_finding as finding on finding.id = item.finding_id
      left join time_entry as entry on finding.kind = 'time' and entry.entry_id = finding.reference
      left join expense on finding.kind = 'expense' and expense.expense_id = finding.reference
     where item.exception_id = ${exceptionId} and (not ${open}::boolean or item.settled_at is null)
       and (${personId ?? null}::text is null or finding.person_id = ${personId ?? null}) and ${after}
     order by item.finding_id limit ${page.limit + 1}`.execute(db);
  return pageOf(
    rows,
    page,
    (row) => [row.id],
    ({ amountMinor, currency, ...row }) => ({ ...row, ...shownWorth(worth ? amountMinor : null, currency) }),
  );
}

/** The items of an exception added up; null where it is about one thing. */
export interface ItemSum {
  readonly open: number;
  readonly total: number;
  /** Of the open ones; null where one of them has no price of its own, or to whom amounts are not shown. */
  readonly amount: string | null;
  readonly currency: string | null;
  /** Whether amounts are shown to the reader. */
  readonly worthShown: boolean;
}

export async function itemSumOf(db: Kysely<DB>, exceptionId: string, worth: boolean): Promise<ItemSum | null> {
  const { rows } = await sql<{ open: number; total: number; amountMinor: number | null; currency: string | null }>`
    select count(*) filter (where settled_at is null) as open, count(*) as total, max(currency) filter (where settled_at is null) as currency,
           case when bool_and(amount_minor is not null) filter (where settled_at is null)
                then (sum(amount_minor) filter (where settled_at is null))::bigint end as "amountMinor"
      from exception_item where exception_id = ${exceptionId}`.execute(db);
  const [sum] = rows;
  if (sum === undefined || sum.total === 0) return null;
  const { open, total, amountMinor, currency } = sum;
  return { open, total, ...shownWorth(worth ? amountMinor : null, currency), worthShown: worth };
}

function shownWorth(minor: number | null, currency: string | null) {
  return minor === null || currency === null ? { amount: null, currency: null } : { amount: formatMoney({ minor, currency }), currency };
}
