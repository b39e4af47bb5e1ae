import { sql, type Kysely } from 'kysely';
import { type Scope } from '../../domain/access';
import { type CostKind } from '../../domain/procurement/cost';
import { spendOf } from '../../domain/procurement/spend';
import { type BudgetEntry, budgetsOfLines, costsOfLines } from '../subcontractor-costs';
import { type DB } from '../types';
import { amount } from './amount';
import { lineInScope } from './deal-scope';
import { keyAt, type Page, pageOf, type PageRequest } from './page';

export interface SpendView {
  readonly contractLineId: string;
  readonly lineId: string;
  readonly currency: string;
  readonly cost: {
    readonly budget: string;
    readonly committed: string;
    readonly billed: string;
    readonly spent: string;
    readonly remaining: string;
  };
  readonly budgets: readonly {
    readonly cause: BudgetEntry['cause'];
    readonly workPackageId: string | null;
    readonly cost: string;
    readonly choiceId: string | null;
    readonly recordedAt: string;
  }[];
  readonly exceptionId: string | null;
}

/** What each line of a deal in scope has spent on subcontractors beside its budget, and what that is made of. */
export async function readSpend(db: Kysely<DB>, scope: Scope, dealId: string): Promise<SpendView[]> {
  const lines = await linesInScope(db, scope, dealId);
  const ids = lines.map(({ id }) => id);
  const costs = await costsOfLines(db, lines);
  const budgets = await budgetsOfLines(db, ids);
  const entries = await entriesOf(db, ids);
  return lines.map(({ id, line_id: lineId, currency, exceptionId }) => {
    const { committed, billed, spent } = spendOf(costs.get(id) ?? [], currency);
    const budget = budgets.get(id) ?? 0;
    const shown = (minor: number) => amount(minor, currency);
    return {
      contractLineId: id,
      lineId,
      currency,
      cost: {
        budget: shown(budget),
        committed: shown(committed.minor),
        billed: shown(billed.minor),
        spent: shown(spent.minor),
        remaining: shown(budget - spent.minor),
      },
      budgets: entries
        .filter((entry) => entry.contract_line_id === id)
        .map((entry) => ({
          cause: entry.cause as BudgetEntry['cause'],
          workPackageId: entry.work_package_code,
          cost: shown(entry.cost_minor),
          choiceId: entry.choice_id,
          recordedAt: entry.recorded_at,
        })),
      exceptionId,
    };
  });
}

export interface CostView {
  readonly costId: string;
  readonly lineId: string;
  readonly workPackageId: string | null;
  readonly vendorId: string;
  readonly kind: CostKind;
  readonly commitmentId: string | null;
  readonly amount: string;
  readonly currency: string;
  readonly cost: string;
  readonly costCurrency: string;
  readonly incurredOn: string;
  readonly supersedes: string | null;
  readonly supersededBy: string | null;
  readonly state: 'counted' | 'superseded' | 'refused' | 'disputed';
  readonly recordedAt: string;
}

/** What was reported of the subcontractors of lines in scope, the last first. */
export async function listCosts(
  db: Kysely<DB>,
  scope: Scope,
  { dealId, lineId }: { readonly dealId: string; readonly lineId: string | undefined },
  page: PageRequest,
): Promise<Page<CostView>> {
  let query = costsInScope(db, scope, dealId);
  if (lineId !== undefined) query = query.where('line.line_id', '=', lineId);
  if (page.after !== null)
    query = query.where(sql<boolean>`(cost.recorded_at, cost.cost_id) < (${keyAt(page, 0)}::timestamptz, ${keyAt(page, 1)})`);
  const rows = await query
    .orderBy('cost.recorded_at', 'desc')
    .orderBy('cost.cost_id', 'desc')
    .limit(page.limit + 1)
    .execute();
  return pageOf(rows, page, (row) => [row.recorded_at, row.cost_id], costView);
}

function costsInScope(db: Kysely<DB>, scope: Scope, dealId: string) {
  return db
    .selectFrom('subcontractor_cost as cost')
    .innerJoin('contract_line as line', 'line.id', 'cost.contract_line_id')
    .innerJoin('deal', 'deal.id', 'line.deal_id')
    .leftJoin('refused_subcontractor_cost as refused', 'refused.cost_id', 'cost.cost_id')
    .leftJoin('subcontractor_cost as successor', 'successor.supersedes', 'cost.cost_id')
    .selectAll('cost')
    .select(['line.line_id', 'line.currency as lineCurrency', 'refused.cost_id as refusedId', 'successor.cost_id as supersededBy'])
    .where('deal.id', '=', dealId)
    .where(lineInScope(scope, sql.ref('line.selling_entity_id'), sql.ref('deal.lead_entity_id')));
}

function costView(row: Awaited<ReturnType<ReturnType<typeof costsInScope>['execute']>>[number]): CostView {
  const refused = row.kind === 'bill' ? 'disputed' : 'refused';
  return {
    costId: row.cost_id,
    lineId: row.line_id,
    workPackageId: row.work_package_code,
    vendorId: row.vendor_id,
    kind: row.kind as CostKind,
    commitmentId: row.commitment_id,
    amount: amount(row.amount_minor, row.currency),
    currency: row.currency,
    cost: amount(row.cost_minor, row.lineCurrency),
    costCurrency: row.lineCurrency,
    incurredOn: row.incurred_on,
    supersedes: row.supersedes,
    supersededBy: row.supersededBy,
    state: row.supersededBy !== null ? 'superseded' : row.refusedId === null ? 'counted' : refused,
    recordedAt: row.recorded_at,
  };
}

function linesInScope(db: Kysely<DB>, scope: Scope, dealId: string) {
  return db
    .selectFrom('contract_line as line')
    .innerJoin('deal', 'deal.id', 'line.deal_id')
    .leftJoin('process_exception as trouble', (join) =>
      join
        .onRef('trouble.contract_line_id', '=', 'line.id')
        .on('trouble.path', '=', 'subcontractor-spend')
        .on('trouble.closed_at', 'is', null),
    )
    .select(['line.id', 'line.line_id', 'line.currency', 'trouble.id as exceptionId'])
    .where('deal.id', '=', dealId)
    .where(lineInScope(scope, sql.ref('line.selling_entity_id'), sql.ref('deal.lead_entity_id')))
    .orderBy('line.line_id')
    .execute();
}

async function entriesOf(db: Kysely<DB>, contractLineIds: readonly string[]) {
  if (contractLineIds.length === 0) return [];
  return db
    .selectFrom('subcontractor_budget')
    .selectAll()
    .where('contract_line_id', 'in', contractLineIds)
    .orderBy('recorded_at')
    .orderBy('id')
    .execute();
}
