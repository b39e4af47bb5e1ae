import { sql, type Kysely, type Selectable } from 'kysely';
import { type Scope } from '../../domain/access';
import { inEntities } from '../entity-scope';
import { type DB } from '../types';
import { amount } from './amount';
import { keyAt, type Page, pageOf, type PageRequest } from './page';

export interface StatementView {
  readonly id: string;
  readonly inboxEventId: string;
  readonly entityId: string;
  readonly account: string;
  readonly statementId: string;
  readonly currency: string;
  readonly fromDate: string;
  readonly toDate: string;
  readonly opening: string;
  readonly closing: string;
  /** `applying` while payments of a large file are still to come: until then what it brought is not complete. */
  readonly state: 'applying' | 'applied';
  readonly transactions: number;
  readonly transactionsApplied: number;
  /** The moment at which the last part of it was applied. */
  readonly appliedAt: string;
}

export interface PaymentView {
  readonly id: string;
  readonly bankStatementId: string;
  readonly entityId: string;
  readonly billToId: string;
  readonly endToEndId: string;
  readonly bookedOn: string;
  readonly amount: string;
  readonly onAccount: string;
  readonly currency: string;
  readonly method: string;
  readonly confidence: string;
  readonly reversedOn: string | null;
  readonly applications: readonly {
    readonly invoiceId: string;
    readonly reference: string;
    readonly kind: string;
    readonly amount: string;
    readonly appliedOn: string;
    readonly reversedOn: string | null;
  }[];
}

/** Imported bank statements of the reader's entities, the last applied first. */
export async function listStatements(db: Kysely<DB>, scope: Scope, page: PageRequest): Promise<Page<StatementView>> {
  let query = db
    .selectFrom('bank_statement')
    .selectAll()
    .where(inEntities(scope, sql`array[entity_id]`));
  if (page.after) query = query.where(sql<boolean>`(applied_at, id) < (${keyAt(page, 0)}::timestamptz, ${keyAt(page, 1)}::uuid)`);
  const rows = await query
    .orderBy('applied_at', 'desc')
    .orderBy('id', 'desc')
    .limit(page.limit + 1)
    .execute();
  return pageOf(rows, page, (row) => [row.applied_at, row.id], statementView);
}

/** Which of some accounts belong to no entity of ours. */
export async function unknownAccounts(db: Kysely<DB>, accounts: readonly string[]): Promise<string[]> {
  if (accounts.length === 0) return [];
  const rows = await db.selectFrom('entity_bank_account').select('account').where('account', 'in', accounts).execute();
  const known = new Set(rows.map((row) => row.account));
  return accounts.filter((account) => !known.has(account));
}

/** Payments of customers with what they were applied to, the last booked first. */
export async function listPayments(
  db: Kysely<DB>,
  scope: Scope,
  filter: { readonly billToId?: string | undefined },
  page: PageRequest,
): Promise<Page<PaymentView>> {
  let query = db
    .selectFrom('payment')
    .selectAll()
    .where(inEntities(scope, sql`array[entity_id]`));
  if (filter.billToId !== undefined) query = query.where('bill_to_id', '=', filter.billToId);
  if (page.after) query = query.where(sql<boolean>`(booked_on, id) < (${keyAt(page, 0)}::date, ${keyAt(page, 1)}::uuid)`);
  const rows = await query
    .orderBy('booked_on', 'desc')
    .orderBy('id', 'desc')
    .limit(page.limit + 1)
    .execute();
  const applications = await applicationsOf(
    db,
    rows.map((row) => row.id),
  );
  return pageOf(
    rows,
    page,
    (row) => [row.booked_on, row.id],
    (row) => paymentView(row, applications),
  );
}

type Application = Awaited<ReturnType<typeof applicationsOf>>[number];

async function applicationsOf(db: Kysely<DB>, paymentIds: readonly string[]) {
  if (paymentIds.length === 0) return [];
  return db
    .selectFrom('payment_application as applied')
    .innerJoin('invoice', 'invoice.id', 'applied.invoice_id')
    .selectAll('applied')
    .select('invoice.reference')
    .where('applied.payment_id', 'in', paymentIds)
    .orderBy('applied.applied_on')
    .orderBy('applied.id')
    .execute();
}

function statementView(row: Selectable<DB['bank_statement']>): StatementView {
  return {
    id: row.id,
    inboxEventId: row.inbox_event_id,
    entityId: row.entity_id,
    account: row.account,
    statementId: row.statement_id,
    currency: row.currency,
    fromDate: row.from_date,
    toDate: row.to_date,
    opening: amount(row.opening_minor, row.currency),
    closing: amount(row.closing_minor, row.currency),
    state: row.state as StatementView['state'],
    transactions: row.transaction_count,
    transactionsApplied: row.applied_count,
    appliedAt: row.applied_at,
  };
}

function paymentView(row: Selectable<DB['payment']>, applications: readonly Application[]): PaymentView {
  const { currency } = row;
  return {
    id: row.id,
    bankStatementId: row.bank_statement_id,
    entityId: row.entity_id,
    billToId: row.bill_to_id,
    endToEndId: row.end_to_end_id,
    bookedOn: row.booked_on,
    amount: amount(row.amount_minor, currency),
    onAccount: amount(row.on_account_minor, currency),
    currency,
    method: row.method,
    confidence: row.confidence,
    reversedOn: row.reversed_on,
    applications: applications
      .filter((each) => each.payment_id === row.id)
      .map((each) => ({
        invoiceId: each.invoice_id,
        reference: each.reference,
        kind: each.kind,
        amount: amount(each.amount_minor, currency),
        appliedOn: each.applied_on,
        reversedOn: each.reversed_on,
      })),
  };
}
