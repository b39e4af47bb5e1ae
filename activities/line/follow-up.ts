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
import { isViolation, type Violation } from '../../domain/violation';

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
    time: await timeFacts(trx, line.id),
    overage: await overageFacts(trx, line.id, items),
    fees: await feeDocuments(trx, line.id),
    context: await planContext(trx, line),
    at,
  };
}

/** What the billing plan of a line goes by: as at its baseline. */
export async function planContext(trx: Transaction<DB>, line: LineRow): Promise<PlanContext> {
  const { calendar } = await entityOf(trx, line.selling_entity_id);
  const { cutOffDay, billingLeadWorkingDays } = await billingPolicy(trx, line.contract.signedDate);
  return { shortCode: line.shortCode, sellingEntityCalendar: calendar, cutOffDay, billingLeadWorkingDays };
}
