import { sql, type Kysely, type Selectable, type Transaction } from 'kysely';
import { uuidv7 } from 'uuidv7';
import { type Instant } from '../domain/deal/terms';
import { type Money } from '../domain/money';
import { type CostKind, CostRecord, type ReportedCost } from '../domain/procurement/cost';
import { type RecordedCost } from '../domain/procurement/spend';
import { insertRows } from './insert-rows';
import { type DB } from './types';

/** What is on record of all ids that some reports name, and of what superseded those. Lock their lines first. */
export async function recordedCosts(trx: Transaction<DB>, costs: readonly ReportedCost[]): Promise<CostRecord> {
  const named = [...new Set(costs.flatMap((cost) => [cost.costId, cost.supersedes, cost.commitmentId]).filter((id) => id !== null))];
  const { rows } = await sql<Selectable<DB['subcontractor_cost']>>`
    with named as (select unnest(${named}::text[]) as id)
    select cost.* from named join subcontractor_cost as cost on cost.cost_id = named.id
    union
    select cost.* from named join subcontractor_cost as cost on cost.supersedes = named.id`.execute(trx);
  return new CostRecord(
    rows.map((row) => ({
      costId: row.cost_id,
      contractLineId: row.contract_line_id,
      workPackageId: row.work_package_code,
      vendorId: row.vendor_id,
      kind: row.kind as CostKind,
      commitmentId: row.commitment_id,
      amount: { minor: row.amount_minor, currency: row.currency },
      incurredOn: row.incurred_on,
      supersedes: row.supersedes,
    })),
  );
}

/** A cost to record; `inLineCurrency` is what it comes to in the currency of its line. */
export interface NewCost {
  readonly cost: ReportedCost;
  readonly inLineCurrency: Money;
}

/** Records costs in their order: each after those that it names. */
export function insertCosts(trx: Transaction<DB>, costs: readonly NewCost[], at: Instant): Promise<void> {
  const rows = costs.map(({ cost, inLineCurrency }) => ({
    cost_id: cost.costId,
    contract_line_id: cost.contractLineId,
    work_package_code: cost.workPackageId,
    vendor_id: cost.vendorId,
    kind: cost.kind,
    commitment_id: cost.commitmentId,
    amount_minor: cost.amount.minor,
    currency: cost.amount.currency,
    cost_minor: inLineCurrency.minor,
    incurred_on: cost.incurredOn,
    supersedes: cost.supersedes,
    recorded_at: at,
  }));
  return insertRows(trx, 'subcontractor_cost', rows);
}

/** Every cost of some lines, as far as the rule of spend looks at it, by line. */
export async function costsOfLines(
  db: Kysely<DB>,
  lines: readonly { readonly id: string; readonly currency: string }[],
): Promise<ReadonlyMap<string, readonly RecordedCost[]>> {
  const found = new Map<string, RecordedCost[]>(lines.map(({ id }) => [id, []]));
  if (lines.length === 0) return found;
  const rows = await db
    .selectFrom('subcontractor_cost as cost')
    .innerJoin('contract_line as line', 'line.id', 'cost.contract_line_id')
    .leftJoin('refused_subcontractor_cost as refused', 'refused.cost_id', 'cost.cost_id')
    .select(['cost.cost_id', 'cost.contract_line_id', 'cost.kind', 'cost.commitment_id', 'cost.amount_minor', 'cost.currency'])
    .select(['cost.cost_minor', 'cost.supersedes', 'line.currency as lineCurrency', 'refused.cost_id as refusedId'])
    .where('cost.contract_line_id', 'in', [...found.keys()])
    .orderBy('cost.cost_id')
    .execute();
  for (const row of rows)
    found.get(row.contract_line_id)?.push({
      costId: row.cost_id,
      kind: row.kind as CostKind,
      commitmentId: row.commitment_id,
      amount: { minor: row.amount_minor, currency: row.currency },
      cost: { minor: row.cost_minor, currency: row.lineCurrency },
      supersedes: row.supersedes,
      isRefused: row.refusedId !== null,
    });
  return found;
}

/** The budget of each line for subcontractors, in minor units of its currency; a line without one is not named. */
export async function budgetsOfLines(db: Kysely<DB>, contractLineIds: readonly string[]): Promise<ReadonlyMap<string, number>> {
  if (contractLineIds.length === 0) return new Map();
  const rows = await db
    .selectFrom('subcontractor_budget')
    .select(['contract_line_id', sql<number>`sum(cost_minor)::bigint`.as('minor')])
    .where('contract_line_id', 'in', contractLineIds)
    .groupBy('contract_line_id')
    .execute();
  return new Map(rows.map((row) => [row.contract_line_id, row.minor]));
}

export interface BudgetEntry {
  readonly contractLineId: string;
  readonly workPackageId: string | null;
  readonly cost: Money;
  readonly cause: 'baseline' | 'absorb' | 'reallocate' | 'change-order';
  /** The outcome that made it; null of the baseline. */
  readonly choiceId: string | null;
}

/** Adds to the budget of a line, or takes from it. */
export async function addToBudget(trx: Transaction<DB>, entry: BudgetEntry, at: Instant): Promise<void> {
  const { contractLineId, workPackageId, cost, cause, choiceId } = entry;
  await trx
    .insertInto('subcontractor_budget')
    .values({
      id: uuidv7(),
      contract_line_id: contractLineId,
      work_package_code: workPackageId,
      cost_minor: cost.minor,
      currency: cost.currency,
      cause,
      choice_id: choiceId,
      recorded_at: at,
    })
    .execute();
}

/** A commitment is refused, or a bill disputed, by an outcome. */
export async function refuseCost(trx: Transaction<DB>, costId: string, choiceId: string, at: Instant): Promise<void> {
  await trx.insertInto('refused_subcontractor_cost').values({ cost_id: costId, choice_id: choiceId, refused_at: at }).execute();
}

/** What was over when an outcome was chosen; null where it was not about that. */
export async function chosenOverspend(
  db: Kysely<DB>,
  choiceId: string,
): Promise<{ readonly budget: Money; readonly spent: Money; readonly overspend: Money } | null> {
  const row = await db.selectFrom('subcontractor_overspend').selectAll().where('choice_id', '=', choiceId).executeTakeFirst();
  if (row === undefined) return null;
  const { currency } = row;
  return {
    budget: { minor: row.budget_minor, currency },
    spent: { minor: row.spent_minor, currency },
    overspend: { minor: row.overspend_minor, currency },
  };
}
