import { sql, type Kysely } from 'kysely';
import { type Scope } from '../../domain/access';
import { type LocalDate } from '../../domain/deal/terms';
import { inEntities } from '../entity-scope';
import { type DB } from '../types';
import { amount } from './amount';
import { lineInScope } from './deal-scope';
import { keyAt, type Page, pageOf, type PageRequest } from './page';

export interface PeriodView {
  readonly period: string;
  readonly state: 'open' | 'soft-closed' | 'closed';
  readonly openedAt: string;
  readonly softClosedAt: string | null;
  readonly softClosedBy: string | null;
  readonly closedAt: string | null;
  readonly closedBy: string | null;
}

export interface AccountBalance {
  readonly account: string;
  readonly name: string;
  readonly kind: string;
  readonly currency: string;
  readonly debit: string;
  readonly credit: string;
  readonly balance: string;
}

export interface RevenueView {
  readonly contractLineId: string;
  readonly lineId: string;
  readonly month: string;
  readonly postedIn: string;
  readonly isCorrection: boolean;
  readonly currency: string;
  readonly revenue: string;
}

export interface ContractBalanceView {
  readonly contractLineId: string;
  readonly lineId: string;
  readonly entityId: string;
  readonly month: string;
  readonly currency: string;
  readonly revenueToDate: string;
  readonly billedToDate: string;
  readonly contractAsset: string;
  readonly contractLiability: string;
  /** By the months that revenue is about, wherever it was posted (S-40). */
  readonly restated: { readonly revenueToDate: string; readonly contractAsset: string; readonly contractLiability: string };
}

/** True for an entity of ours in the reader's scope. */
export async function isEntityInScope(db: Kysely<DB>, scope: Scope, entityId: string): Promise<boolean> {
  const row = await db
    .selectFrom('legal_entity')
    .select('id')
    .where('id', '=', entityId)
    .where(inEntities(scope, sql`array[id]`))
    .executeTakeFirst();
  return row !== undefined;
}

/** The months of an entity, the last first. */
export async function listPeriods(db: Kysely<DB>, entityId: string, page: PageRequest): Promise<Page<PeriodView>> {
  let query = db.selectFrom('accounting_period').selectAll().where('entity_id', '=', entityId);
  if (page.after) query = query.where('period', '<', keyAt(page, 0));
  const rows = await query
    .orderBy('period', 'desc')
    .limit(page.limit + 1)
    .execute();
  return pageOf(
    rows,
    page,
    (row) => [row.period],
    (row) => ({
      period: row.period,
      state: row.state as PeriodView['state'],
      openedAt: row.opened_at,
      softClosedAt: row.soft_closed_at,
      softClosedBy: row.soft_closed_by,
      closedAt: row.closed_at,
      closedBy: row.closed_by,
    }),
  );
}

/** Balances of an entity at the end of a day, by account and currency; in each currency they sum to zero (I-03). */
export async function readTrialBalance(db: Kysely<DB>, entityId: string, asOf: LocalDate, book: string): Promise<AccountBalance[]> {
  const rows = await db
    .selectFrom('ledger')
    .innerJoin('account', 'account.code', 'ledger.account_code')
    .select((eb) => [
      'account.code',
      'account.name',
      'account.kind',
      'ledger.currency',
      eb.fn.sum<string>('debit_minor').as('debit'),
      eb.fn.sum<string>('credit_minor').as('credit'),
    ]) // prettier-ignore
    .where('ledger.entity_id', '=', entityId)
    .where('ledger.book', '=', book)
    .where('ledger.date', '<=', asOf)
    .groupBy(['account.code', 'account.name', 'account.kind', 'ledger.currency'])
    .orderBy('ledger.currency')
    .orderBy('account.code')
    .execute();
  return rows.map(({ code, name, kind, currency, debit, credit }) => ({
    account: code,
    name,
    kind,
    currency: currency ?? '',
    debit: amount(Number(debit), currency ?? ''),
    credit: amount(Number(credit), currency ?? ''),
    balance: amount(Number(debit) - Number(credit), currency ?? ''),
  }));
}

/** Revenue of a deal's lines in scope as posted, by line, month and where it stands (R-130, S-45). */
export async function listRevenue(db: Kysely<DB>, scope: Scope, dealId: string, page: PageRequest): Promise<Page<RevenueView>> {
  let query = db
    .selectFrom('revenue_by_line_month as revenue')
    .innerJoin('contract_line as line', 'line.id', 'revenue.contract_line_id')
    .innerJoin('deal', 'deal.id', 'line.deal_id')
    .select([
      'line.id',
      'line.line_id',
      'revenue.month',
      'revenue.posted_in',
      'revenue.currency',
      'revenue.revenue_minor',
      'revenue.is_correction',
    ])
    .where('line.deal_id', '=', dealId)
    .where('revenue.book', '=', 'primary')
    .where(lineInScope(scope, sql`line.selling_entity_id`, sql`deal.lead_entity_id`));
  if (page.after)
    query = query.where(
      sql<boolean>`(line.line_id, revenue.month, revenue.posted_in, revenue.is_correction::text)
        > (${keyAt(page, 0)}, ${keyAt(page, 1)}, ${keyAt(page, 2)}, ${keyAt(page, 3)})`,
    );
  const rows = await query
    .orderBy('line.line_id')
    .orderBy('revenue.month')
    .orderBy('revenue.posted_in')
    .orderBy('revenue.is_correction')
    .limit(page.limit + 1)
    .execute();
  return pageOf(
    rows,
    page,
    (row) => [row.line_id, row.month ?? '', row.posted_in ?? '', String(row.is_correction)],
    (row) => ({
      contractLineId: row.id,
      lineId: row.line_id,
      month: row.month ?? '',
      postedIn: row.posted_in ?? '',
      isCorrection: row.is_correction ?? false,
      currency: row.currency ?? '',
      revenue: amount(Number(row.revenue_minor), row.currency ?? ''),
    }),
  );
}

/** Asset or liability of a deal's lines in scope at each month end whose revenue is recognised (R-132, S-26, S-29). */
export async function listContractBalances(
  db: Kysely<DB>,
  scope: Scope,
  dealId: string,
  page: PageRequest,
): Promise<Page<ContractBalanceView>> {
  let query = db
    .selectFrom('contract_balance as balance')
    .innerJoin('deal', 'deal.id', 'balance.deal_id')
    .innerJoin('restated_contract_balance as restated', (join) =>
      join.onRef('restated.contract_line_id', '=', 'balance.contract_line_id').onRef('restated.month', '=', 'balance.month'),
    )
    .selectAll('balance')
    .select(['restated.revenue_to_date_minor as restated_revenue', 'restated.contract_asset_minor as restated_asset'])
    .select('restated.contract_liability_minor as restated_liability')
    .where('balance.deal_id', '=', dealId)
    .where(lineInScope(scope, sql`balance.entity_id`, sql`deal.lead_entity_id`));
  if (page.after) query = query.where(sql<boolean>`(balance.line_id, balance.month) > (${keyAt(page, 0)}, ${keyAt(page, 1)})`);
  const rows = await query
    .orderBy('balance.line_id')
    .orderBy('balance.month')
    .limit(page.limit + 1)
    .execute();
  return pageOf(
    rows,
    page,
    (row) => [row.line_id ?? '', row.month ?? ''],
    (row) => {
      const money = (minor: unknown) => amount(Number(minor), row.currency ?? '');
      return {
        contractLineId: row.contract_line_id ?? '',
        lineId: row.line_id ?? '',
        entityId: row.entity_id ?? '',
        month: row.month ?? '',
        currency: row.currency ?? '',
        revenueToDate: money(row.revenue_to_date_minor),
        billedToDate: money(row.billed_to_date_minor),
        contractAsset: money(row.contract_asset_minor),
        contractLiability: money(row.contract_liability_minor),
        restated: {
          revenueToDate: money(row.restated_revenue),
          contractAsset: money(row.restated_asset),
          contractLiability: money(row.restated_liability),
        },
      };
    },
  );
}
