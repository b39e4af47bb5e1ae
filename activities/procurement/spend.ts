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

export async function spendOfLine(db: Kysely<DB>, { id, currency }: SpendingLine, tolerancePercent: string): Promise<LineSpend> {
  const costs = (await costsOfLines(db, [{ id, currency }])).get(id) ?? [];
  const budget = { minor: (await budgetsOfLines(db, [id])).get(id) ?? 0, currency };
  const spend = spendOf(costs, currency);
  return { ...spend, costs, budget, overspend: overspendOf(spend.spent, budget, tolerancePercent) };
}

/** What a line may spend beyond its budget without anybody being asked, in percent of it; null where no policy says who would be. */
export async function toleranceOf(db: Kysely<DB>, { selling_entity_id: entityId }: SpendingLine, at: Instant): Promise<string | null> {
  const policy = await policyOfException(db, { entityId, openedAt: at });
  if (policy === null || !Object.hasOwn(policy.body.paths, 'subcontractor-spend')) return null;
  return policy.body.subcontractorTolerancePercent;
}

/**
 * Measures the spend of a locked line after what it follows from has changed: beyond its budget it is an exception, one at a time,
 * which ends by itself when the spend is within the budget again. A deal that has ended asks nobody any more.
 */
export async function measureSpend(trx: Transaction<DB>, line: SpendingLine, at: Instant): Promise<void> {
  const { id, line_id: lineId, deal_id: dealId, selling_entity_id: entityId } = line;
  const tolerance = await toleranceOf(trx, line, at);
  if (tolerance === null) return;
  const name = lineWorkflowId(id);
  const path = 'subcontractor-spend';
  const { overspend } = await spendOfLine(trx, line, tolerance);
  if (overspend === null) return closeExceptions(trx, path, [name], at);
  if (ENDED.includes(await lockDealState(trx, dealId))) return;
  const detail = `line ${lineId} has spent more on subcontractors than its budget`;
  const facts = { contractLineId: id };
  await openException(trx, { name, path, detail, dealId, entityId, contractLineId: id, facts }, at);
}
