import { type Kysely, type Transaction } from 'kysely';
import { closeExceptions, openException, policyOfException } from '../../db/exceptions';
import { budgetsOfLines, costsOfLines } from '../../db/subcontractor-costs';
import { type DB } from '../../db/types';
import { type Instant } from '../../domain/deal/terms';
import { lineWorkflowId } from '../../domain/ids';
import { type Money } from '../../domain/money';
import { overspendOf, type RecordedCost, type Spend, spendOf } from '../../domain/procurement/spend';

/** A line as far as its spend is measured. */
export interface SpendingLine {
  readonly id: string;
  readonly line_id: string;
  readonly deal_id: string;
  readonly currency: string;
  readonly selling_entity_id: string;
}

/** What a line has spent on subcontractors beside its budget; `overspend` is null where that lies within it and the tolerance of policy. */
export interface LineSpend extends Spend {
  readonly costs: readonly RecordedCost[];
  readonly budget: Money;
  readonly overspend: Money | null;
}

const PATH = 'subcontractor-spend';
const ENDED = ['closed', 'declined', 'cancelled'];

/** A line, locked beside the deal that it belongs to, so that the deal does not end while its spend is measured. */
export async function lockSpendingLine(trx: Transaction<DB>, contractLineId: string): Promise<SpendingLine> {
  const lines = trx.selectFrom('contract_line').select(['id', 'line_id', 'deal_id', 'currency', 'selling_entity_id']);
  const line = await lines.where('id', '=', contractLineId).executeTakeFirstOrThrow();
  await lockDealState(trx, line.deal_id);
  return lines.where('id', '=', contractLineId).forNoKeyUpdate().executeTakeFirstOrThrow();
}

/** The state of a deal, which does not change before the transaction ends. */
export async function lockDealState(trx: Transaction<DB>, dealId: string): Promise<string> {
  return (await trx.selectFrom('deal').select('state').where('id', '=', dealId).forShare().executeTakeFirstOrThrow()).state;
}

export async function spendOfLine(db: Kysely<DB>, line: SpendingLine, tolerancePercent: string): Promise<LineSpend> {
  const { costs, budgets } = await onRecord(db, [line]);
  return measured(line, costs, budgets, tolerancePercent);
}

async function onRecord(db: Kysely<DB>, lines: readonly SpendingLine[]) {
  const costs = await costsOfLines(db, lines);
  const budgets = await budgetsOfLines(
    db,
    lines.map(({ id }) => id),
  );
  return { costs, budgets };
}

function measured(
  { id, currency }: SpendingLine,
  costsOf: ReadonlyMap<string, readonly RecordedCost[]>,
  budgets: ReadonlyMap<string, number>,
  tolerancePercent: string,
): LineSpend {
  const costs = costsOf.get(id) ?? [];
  const budget = { minor: budgets.get(id) ?? 0, currency };
  const spend = spendOf(costs, currency);
  return { ...spend, costs, budget, overspend: overspendOf(spend.spent, budget, tolerancePercent) };
}

/** What a line may spend beyond its budget without anybody being asked, in percent of it; null where no policy says who would be. */
export async function toleranceOf(db: Kysely<DB>, { selling_entity_id: entityId }: SpendingLine, at: Instant): Promise<string | null> {
  const policy = await policyOfException(db, { entityId, openedAt: at });
  if (policy === null || !Object.hasOwn(policy.body.paths, PATH)) return null;
  return policy.body.subcontractorTolerancePercent;
}

/**
 * Measures the spend of locked lines of a deal after what it follows from has changed: beyond its budget it is an exception, one at a
 * time, which ends by itself when the spend is within the budget again. A deal that has ended asks nobody any more.
 */
export async function measureSpend(trx: Transaction<DB>, lines: readonly SpendingLine[], at: Instant): Promise<void> {
  const [first] = lines;
  if (first === undefined) return;
  const { costs, budgets } = await onRecord(trx, lines);
  const tolerances = await tolerancesOf(trx, lines, at);
  const spends = lines.map((line) => {
    const tolerance = tolerances.get(line.selling_entity_id) ?? null;
    return { line, tolerance, ...measured(line, costs, budgets, tolerance ?? '0') };
  });
  const within = spends.filter(({ overspend }) => overspend === null).map(({ line }) => lineWorkflowId(line.id));
  await closeExceptions(trx, PATH, within, at);
  if (ENDED.includes(await lockDealState(trx, first.deal_id))) return;
  for (const { line, tolerance, overspend } of spends)
    if (overspend !== null && tolerance !== null) await openSpendException(trx, line, at);
}

async function tolerancesOf(
  trx: Transaction<DB>,
  lines: readonly SpendingLine[],
  at: Instant,
): Promise<ReadonlyMap<string, string | null>> {
  const found = new Map<string, string | null>();
  for (const line of lines) if (!found.has(line.selling_entity_id)) found.set(line.selling_entity_id, await toleranceOf(trx, line, at));
  return found;
}

function openSpendException(trx: Transaction<DB>, line: SpendingLine, at: Instant): Promise<void> {
  const { id, line_id: lineId, deal_id: dealId, selling_entity_id: entityId } = line;
  const detail = `line ${lineId} has spent more on subcontractors than its budget`;
  const facts = { contractLineId: id };
  return openException(trx, { name: lineWorkflowId(id), path: PATH, detail, dealId, entityId, contractLineId: id, facts }, at);
}
