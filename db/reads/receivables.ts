import { sql, type Kysely, type Selectable } from 'kysely';
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
type Reduction = Pick<Selectable<DB['payment_application']>, 'applied_on' | 'reversed_on' | 'amount_minor'>;

/** Cash and what took it back; a document that was settled otherwise (a credit note against its invoice) falls to zero on that day. */
function reducedBy(row: Issued, applied: readonly Reduction[]): Receivable['reductions'] {
  const byCash = applied.flatMap((each) => [
    { on: each.applied_on, amountMinor: each.amount_minor },
    ...(each.reversed_on === null ? [] : [{ on: each.reversed_on, amountMinor: -each.amount_minor }]),
  ]);
  const rest = row.total_minor - byCash.reduce((sum, { amountMinor }) => sum + amountMinor, 0);
  return row.state === 'settled' && row.settled_at !== null && rest !== 0
    ? [...byCash, { on: row.settled_at.slice(0, 10), amountMinor: rest }]
    : byCash;
}

/**
 * Documents that may have been open at the end of a day: the issued ones, those settled after it, and those that cash or its return moved
 * after it. All others are settled and stay away: their reductions up to that day make up their total.
 */
async function openAfter(db: Kysely<DB>, scope: Scope, entityId: string | undefined, asOf: string) {
  const movedAfter = sql<string>`
    select invoice_id from payment_application where applied_on > ${asOf}
    union all select invoice_id from payment_application where reversed_on > ${asOf}`;
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
            .where('state', '=', 'settled')
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

async function reductionsOf(db: Kysely<DB>, invoiceIds: readonly string[]): Promise<Map<string, Reduction[]>> {
  const found = new Map<string, Reduction[]>(invoiceIds.map((id) => [id, []]));
  const rows = await db
    .selectFrom('payment_application')
    .select(['invoice_id', 'applied_on', 'reversed_on', 'amount_minor'])
    .where('invoice_id', '=', sql<string>`any(${[...invoiceIds]}::uuid[])`)
    .execute();
  for (const { invoice_id: id, ...reduction } of rows) found.get(id)?.push(reduction);
  return found;
}

async function moneyOnAccount(db: Kysely<DB>, scope: Scope, entityId: string | undefined, asOf: string) {
  let query = db
    .selectFrom('payment')
    .select((eb) => ['bill_to_id', 'currency', eb.fn.sum<string>('on_account_minor').as('minor')])
    .where('booked_on', '<=', asOf)
    .where((eb) => eb.or([eb('reversed_on', 'is', null), eb('reversed_on', '>', asOf)]))
    .where('on_account_minor', '>', 0)
    .where(inEntities(scope, sql`array[entity_id]`));
  if (entityId !== undefined) query = query.where('entity_id', '=', entityId);
  const rows = await query.groupBy(['bill_to_id', 'currency']).orderBy('bill_to_id').orderBy('currency').execute();
  return rows.map((row) => ({ billToId: row.bill_to_id, currency: row.currency, amountMinor: Number(row.minor) }));
}
