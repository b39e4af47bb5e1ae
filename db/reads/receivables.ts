import { sql, type Kysely } from 'kysely';
import { type Scope } from '../../domain/access';
import { AGEING_BUCKETS, type AgeingBucket, ageReceivables, type Receivable } from '../../domain/collections/ageing';
import { inEntities } from '../entity-scope';
import { type DB } from '../types';
import { amount } from './amount';

export interface ReceivablesView {
  readonly asOf: string;
  readonly items: readonly {
    readonly invoiceId: string;
    readonly reference: string;
    readonly billToId: string;
    readonly entityId: string;
    readonly currency: string;
    readonly dueDate: string;
    readonly open: string;
    readonly daysOverdue: number;
    readonly bucket: string;
  }[];
  readonly parties: readonly {
    readonly billToId: string;
    readonly currency: string;
    readonly open: string;
    readonly overdue: string;
    readonly onAccount: string;
    readonly buckets: Record<AgeingBucket, string>;
  }[];
}

/**
 * What is owed to the reader's entities at the end of a day: issued documents less what was applied up to then, by age, with money on
 * account beside (R-075, R-076, S-33). Balances of past days are computed from the facts, not from today's open amounts.
 */
export async function readReceivables(
  db: Kysely<DB>,
  scope: Scope,
  filter: { readonly entityId?: string | undefined },
  asOf: string,
): Promise<ReceivablesView> {
  const invoices = await openAfter(db, scope, filter.entityId, asOf);
  const reductions = await reductionsOf(
    db,
    invoices.map((invoice) => invoice.id),
  );
  const receivables = invoices.map((row): Receivable => ({
    invoiceId: row.id,
    reference: row.reference,
    billToId: row.bill_to_id,
    currency: row.currency,
    issueDate: row.issue_date ?? asOf,
    dueDate: row.due_date ?? asOf,
    totalMinor: row.total_minor,
    reductions: reducedBy(row, reductions.get(row.id) ?? []),
  }));
  const onAccount = await moneyOnAccount(db, scope, filter.entityId, asOf);
  const aged = ageReceivables(receivables, onAccount, asOf);
  const entityOf = new Map(invoices.map((row) => [row.id, row.entity_id]));
  return {
    asOf,
    items: aged.items.map((item) => ({
      invoiceId: item.invoiceId,
      reference: item.reference,
      billToId: item.billToId,
      entityId: entityOf.get(item.invoiceId) ?? '',
      currency: item.currency,
      dueDate: item.dueDate,
      open: amount(item.openMinor, item.currency),
      daysOverdue: item.daysOverdue,
      bucket: item.bucket,
    })),
    parties: aged.summaries.map(({ billToId, currency, openMinor, overdueMinor, onAccountMinor, buckets }) => ({
      billToId,
      currency,
      open: amount(openMinor, currency),
      overdue: amount(overdueMinor, currency),
      onAccount: amount(onAccountMinor, currency),
      buckets: Object.fromEntries(AGEING_BUCKETS.map((bucket) => [bucket, amount(buckets[bucket], currency)])) as Record<
        AgeingBucket,
        string
      >,
    })),
  };
}

type Issued = Awaited<ReturnType<typeof openAfter>>[number];
interface Reduction {
  readonly on: string;
  readonly amountMinor: number;
}

/** Cash, credits and what took them back; a document that was settled otherwise (a credit note of its own) falls to zero on that day. */
function reducedBy(row: Issued, reductions: readonly Reduction[]): Receivable['reductions'] {
  const rest = row.total_minor - reductions.reduce((sum, { amountMinor }) => sum + amountMinor, 0);
  return row.state === 'settled' && row.settled_at !== null && rest !== 0
    ? [...reductions, { on: row.settled_at.slice(0, 10), amountMinor: rest }]
    : reductions;
}

/**
 * Documents that may have been open at the end of a day: the issued ones, those settled after it, and those that cash, its return or a
 * credit moved after it. All others are settled and stay away: their reductions up to that day make up their total.
 */
async function openAfter(db: Kysely<DB>, scope: Scope, entityId: string | undefined, asOf: string) {
  const movedAfter = sql<string>`
    select invoice_id from payment_application where greatest(applied_on, moved_in_on, reversed_on, moved_on) > ${asOf}
    union all select corrects_id from invoice where corrects_id is not null and issue_date > ${asOf}`;
  let query = db
    .with('candidate', (qb) =>
      qb
        .selectFrom('invoice')
        .select('id')
        .where('state', '=', 'issued')
        .union(
          qb
            .selectFrom('invoice')
            .select('id')
            .where('state', '=', 'settled')
            .where('settled_at', '>=', sql<string>`((${asOf}::date + 1)::timestamp at time zone 'UTC')`),
        )
        .union(
          qb
            .selectFrom('invoice')
            .select('id')
            .where('state', 'in', ['settled', 'credited'])
            .where('id', 'in', sql<string>`(${movedAfter})`),
        ),
    )
    .selectFrom('invoice')
    .innerJoin('candidate', 'candidate.id', 'invoice.id')
    .selectAll('invoice')
    .where('issue_date', '<=', asOf)
    .where(inEntities(scope, sql`array[entity_id]`));
  if (entityId !== undefined) query = query.where('entity_id', '=', entityId);
  return query.orderBy('due_date').orderBy('reference').execute();
}

/** What a correction took along stood on its invoice until then; where it went to it stands since then. */
async function reductionsOf(db: Kysely<DB>, invoiceIds: readonly string[]): Promise<Map<string, Reduction[]>> {
  const found = new Map<string, Reduction[]>(invoiceIds.map((id) => [id, []]));
  const { rows } = await sql<Reduction & { invoiceId: string }>`
    with cash as (select * from payment_application where invoice_id = any(${[...invoiceIds]}::uuid[]))
    select invoice_id as "invoiceId", coalesce(moved_in_on, applied_on) as "on", amount_minor as "amountMinor" from cash
    union all
    select invoice_id, coalesce(reversed_on, moved_on), -amount_minor from cash where coalesce(reversed_on, moved_on) is not null
    union all
    select corrects_id, issue_date, -total_minor from invoice
     where corrects_id = any(${[...invoiceIds]}::uuid[]) and document_kind = 'credit-note'`.execute(db);
  for (const { invoiceId, ...reduction } of rows) found.get(invoiceId)?.push(reduction);
  return found;
}

async function moneyOnAccount(db: Kysely<DB>, scope: Scope, entityId: string | undefined, asOf: string) {
  let query = db
    .selectFrom('payment')
    .leftJoin(
      (eb) =>
        eb
          .selectFrom('payment_excess')
          .select((of) => ['payment_id', of.fn.sum<number>('amount_minor').as('later')])
          .where('moved_on', '>', asOf)
          .groupBy('payment_id')
          .as('excess'),
      (join) => join.onRef('excess.payment_id', '=', 'payment.id'),
    )
    .select(['bill_to_id', 'currency', sql<string>`sum(on_account_minor - coalesce(excess.later, 0))`.as('minor')])
    .where('booked_on', '<=', asOf)
    .where((eb) => eb.or([eb('reversed_on', 'is', null), eb('reversed_on', '>', asOf)]))
    .where(sql<boolean>`on_account_minor > coalesce(excess.later, 0)`)
    .where(inEntities(scope, sql`array[entity_id]`));
  if (entityId !== undefined) query = query.where('entity_id', '=', entityId);
  const rows = await query.groupBy(['bill_to_id', 'currency']).orderBy('bill_to_id').orderBy('currency').execute();
  return rows.map((row) => ({ billToId: row.bill_to_id, currency: row.currency, amountMinor: Number(row.minor) }));
}
