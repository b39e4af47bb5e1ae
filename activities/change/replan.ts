import { type Transaction } from 'kysely';
import { insertPlanItems, milestonesOf, planItems, type LineRow } from '../../db/lines';
import { type DB } from '../../db/types';
import { type Instant } from '../../domain/deal/terms';
import { milestoneAmounts } from '../../domain/engagement/fixed-fee';
import { type BillingPlanItem } from '../../domain/engagement/model';
import { engagementModel } from '../../domain/engagement/registry';
import { isViolation, type Violation } from '../../domain/violation';
import { planContext } from '../line/follow-up';

/**
 * Plans the billing of a line anew by its new terms: what is planned and not drafted gets its new amount and moment, what is new is
 * added, what is no more is void. What is drafted or billed stays as it is, and so does what late facts and decisions planned beside the plan.
 */
export async function replanLine(trx: Transaction<DB>, before: LineRow, after: LineRow, at: Instant): Promise<Violation | null> {
  const model = engagementModel(after.engagement_model);
  if (isViolation(model)) return model;
  const was = model.plan(before.terms, await planContext(trx, before));
  if (isViolation(was)) return was;
  const plan = model.plan(after.terms, await planContext(trx, after));
  if (isViolation(plan)) return plan;
  const standing = await planItems(trx, after);
  const known = new Set(standing.map((item) => item.itemKey));
  const wanted = new Map(plan.map((item) => [item.itemKey, item]));
  for (const item of standing.filter((each) => each.state === 'planned')) {
    const next = wanted.get(item.itemKey);
    if (next !== undefined) await replan(trx, item.id, next);
    else if (was.some((each) => each.itemKey === item.itemKey)) await dropItem(trx, item.id, at);
  }
  await insertPlanItems(
    trx,
    after.id,
    after.currency,
    plan.filter((item) => !known.has(item.itemKey)),
  );
  await replanMilestones(trx, after);
  return null;
}

async function replan(trx: Transaction<DB>, itemId: string, { amount, trigger }: BillingPlanItem): Promise<void> {
  const moment = trigger.kind === 'moment' ? { draft_at: trigger.draftAt, issue_date: trigger.issueDate } : {};
  await trx
    .updateTable('billing_plan_item')
    .set({ amount_minor: amount?.minor ?? null, ...moment })
    .where('id', '=', itemId)
    .execute();
}

async function dropItem(trx: Transaction<DB>, itemId: string, at: Instant): Promise<void> {
  await trx
    .updateTable('billing_plan_item')
    .set({ state: 'void', settled_at: at, blocked_until: null, blockers: '[]', held_reason: null, held_reason_id: null })
    .where('id', '=', itemId)
    .execute();
}

/** Milestones that are not accepted share what the fee and the percents are now (S-14). */
async function replanMilestones(trx: Transaction<DB>, line: LineRow): Promise<void> {
  if (line.terms.engagementModel !== 'fixed-fee') return;
  const amounts = milestoneAmounts(line.terms);
  const rows = await milestonesOf(trx, line.id);
  for (const [index, terms] of line.terms.milestones.entries()) {
    const row = rows.find((each) => each.milestone_id === terms.milestoneId);
    if (row === undefined || row.state === 'accepted' || row.state === 'cancelled') continue;
    await trx
      .updateTable('milestone')
      .set({ percent: terms.percent, planned_date: terms.plannedDate, amount_minor: amounts[index]?.minor ?? row.amount_minor })
      .where('id', '=', row.id)
      .execute();
  }
}
