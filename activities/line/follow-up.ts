import { type Transaction } from 'kysely';
import { insertPlanItems, planItems, timeFacts, type LineRow } from '../../db/lines';
import { feeDocuments, overageFacts } from '../../db/overage';
import { entityOf } from '../../db/parties';
import { billingPolicy } from '../../db/policies';
import { type DB } from '../../db/types';
import { type Instant } from '../../domain/deal/terms';
import { type FollowUp, type FollowUpFacts } from '../../domain/engagement/follow-up';
import { type OpenPoint, type PlanContext } from '../../domain/engagement/model';
import { engagementModel } from '../../domain/engagement/registry';
import { isRunPlanned } from '../../domain/engagement/time-and-materials-finish';
import { runMonths } from '../../domain/engagement/time-and-materials-plan';
import { isViolation, type Violation } from '../../domain/violation';
import { unbilledOf } from './time-and-materials';

/** Plans what came late and what a stop leaves to settle, and answers what only a person can decide. */
export async function planFollowUp(trx: Transaction<DB>, line: LineRow, at: Instant): Promise<readonly OpenPoint[] | Violation> {
  if (line.state !== 'active') return [];
  const found = await followUpOf(trx, line, at);
  if (isViolation(found)) return found;
  await insertPlanItems(trx, line.id, line.currency, found.items);
  return found.open;
}

/** What follows from the facts of a line as they are now, without planning it. */
export async function followUpOf(trx: Transaction<DB>, line: LineRow, at: Instant): Promise<FollowUp | Violation> {
  const model = engagementModel(line.engagement_model);
  if (isViolation(model)) return model;
  if (model.followUp === undefined) return { items: [], open: [] };
  return model.followUp(line.terms, await followUpFacts(trx, line, at));
}

export async function followUpFacts(trx: Transaction<DB>, line: LineRow, at: Instant): Promise<FollowUpFacts> {
  const items = await planItems(trx, line);
  return {
    items,
    time: line.engagement_model === 'time-and-materials' ? [] : await timeFacts(trx, line.id),
    overage: await overageFacts(trx, line, items),
    fees: await feeDocuments(trx, line.id),
    ...(await leftToDecide(trx, line, items)),
    context: await planContext(trx, line),
    at,
  };
}

/** What the billing plan of a line goes by: as at its baseline. */
export async function planContext(trx: Transaction<DB>, line: LineRow): Promise<PlanContext> {
  const { calendar } = await entityOf(trx, line.selling_entity_id);
  const { cutOffDay, billingLeadWorkingDays } = await billingPolicy(trx, line.contract.signedDate, line.selling_entity_id);
  const runs = runMonths(line.contract);
  return { shortCode: line.shortCode, sellingEntityCalendar: calendar, cutOffDay, billingLeadWorkingDays, runs };
}

/** What is left of a time-and-materials line is priced only after its last run: before, the next run takes it. */
async function leftToDecide(
  trx: Transaction<DB>,
  line: LineRow,
  items: FollowUpFacts['items'],
): Promise<Pick<FollowUpFacts, 'timeAndMaterials'>> {
  if (line.engagement_model !== 'time-and-materials') return {};
  if (isRunPlanned({ items })) return { timeAndMaterials: { time: [], expenses: [] } };
  const { time, expenses } = await unbilledOf(trx, line);
  return { timeAndMaterials: { time, expenses } };
}

/** The plan of a line after its terms changed: items whose keys it has not yet are added, what is there stays. */
export async function planMissing(trx: Transaction<DB>, line: LineRow): Promise<readonly string[] | Violation> {
  const model = engagementModel(line.engagement_model);
  const planned = isViolation(model) ? model : model.plan(line.terms, await planContext(trx, line));
  if (isViolation(planned)) return planned;
  const known = new Set((await planItems(trx, line)).map((item) => item.itemKey));
  const missing = planned.filter((item) => !known.has(item.itemKey));
  await insertPlanItems(trx, line.id, line.currency, missing);
  return missing.map((item) => item.itemKey);
}
