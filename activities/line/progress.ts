import { type LineActivities } from '../../contracts/activities';
import { ENGINE_ACTOR } from '../../contracts/names';
import { type Transaction } from 'kysely';
import { lockLine, type LineRow } from '../../db/lines';
import { type DB } from '../../db/types';
import { firstOfMonth } from '../../domain/calendar/dates';
import { engagementModel } from '../../domain/engagement/registry';
import { lastPeriodAfterStop } from '../../domain/engagement/stop';
import { isViolation } from '../../domain/violation';
import { type ActivityDeps } from '../deps';
import { reviewKey } from '../lifecycle';
import { lineEffect } from './effect';
import { planContext } from './follow-up';

export function activateLine(deps: ActivityDeps): LineActivities['activateLine'] {
  return ({ contractLineId, at }) =>
    lineEffect(
      deps,
      contractLineId,
      { key: `activate-line/${contractLineId}`, identity: { contractLineId }, at, actor: ENGINE_ACTOR },
      async (trx, line) => {
        await trx.updateTable('contract_line').set({ state: 'active' }).where('id', '=', contractLineId).execute();
        return { action: 'line.activated', subject: line.line_id };
      },
    );
}

export function reviewLine(deps: ActivityDeps): LineActivities['reviewLine'] {
  return ({ contractLineId, look, at }) =>
    lineEffect(
      deps,
      contractLineId,
      { key: reviewKey('review-line', contractLineId, look), identity: { contractLineId }, at, actor: ENGINE_ACTOR },
      async (_, line) => ({ action: 'line.reviewed', subject: line.line_id }),
    );
}

/** A cancelled line bills what was accepted or served up to its last day; everything planned after it is void (I-13, R-182). */
export function stopLine(deps: ActivityDeps): LineActivities['stopLine'] {
  return ({ contractLineId, stoppedOn, at }) =>
    lineEffect(
      deps,
      contractLineId,
      { key: `stop-line/${contractLineId}`, identity: { contractLineId, stoppedOn }, at, actor: ENGINE_ACTOR },
      async (trx, line) => {
        await trx.updateTable('contract_line').set({ stopped_on: stoppedOn }).where('id', '=', contractLineId).execute();
        await shortenLastFee(trx, await lockLine(trx, contractLineId));
        const voided = await trx
          .updateTable('billing_plan_item as item')
          .set({ state: 'void', settled_at: at, blocked_until: null, blockers: '[]' })
          .where('contract_line_id', '=', contractLineId)
          .where('state', '=', 'planned')
          .where((eb) =>
            eb.or([
              eb.and([eb('trigger_milestone_id', 'is', null), eb('period', '>', lastPeriodAfterStop(line.engagement_model, stoppedOn))]),
              eb.and([eb('trigger_milestone_id', 'is not', null), eb.not(eb.exists(acceptedMilestone(trx, contractLineId)))]),
            ]),
          )
          .returning('item_key')
          .execute();
        const milestones = await trx
          .updateTable('milestone')
          .set({ state: 'cancelled', deemed_at: null })
          .where('contract_line_id', '=', contractLineId)
          .where('state', '<>', 'accepted')
          .returning('milestone_id')
          .execute();
        return {
          action: 'line.stopped',
          subject: line.line_id,
          details: {
            stoppedOn,
            firstVoidMonth: firstOfMonth(stoppedOn.slice(0, 7)),
            voided: voided.map((each) => each.item_key),
            milestones: milestones.map((each) => each.milestone_id),
          },
        };
      },
    );
}

/** An item whose draft was refused is billed anew once finance releases it. */
export function releaseItem(deps: ActivityDeps): LineActivities['releaseItem'] {
  return ({ contractLineId, release }) => {
    const { releaseId, itemKey, by, at } = release;
    return lineEffect(
      deps,
      contractLineId,
      { key: `release-item/${releaseId}`, identity: { contractLineId, itemKey, by }, at, actor: by, ifMatch: release.ifMatch },
      async (trx) => {
        const released = await trx
          .updateTable('billing_plan_item')
          .set({ held_reason: null, held_reason_id: null, blocked_until: at })
          .where('contract_line_id', '=', contractLineId)
          .where('item_key', '=', itemKey)
          .where('held_reason', 'is not', null)
          .returning('reference')
          .executeTakeFirst();
        return released
          ? { action: 'billing.released', subject: released.reference }
          : { violation: 'ItemNotHeld', detail: itemKey, path: '/itemKey' };
      },
    );
  };
}

/** The fee of the month of the stop is planned anew for its days, also where a draft stands that is not issued: that is billed anew. */
async function shortenLastFee(trx: Transaction<DB>, line: LineRow): Promise<void> {
  const model = engagementModel(line.engagement_model);
  const plan = isViolation(model) ? model : model.plan(line.terms, await planContext(trx, line));
  const fees = isViolation(plan) ? [] : plan.filter((item) => item.period === line.stopped_on?.slice(0, 7) && item.amount !== null);
  for (const { itemKey, amount } of fees)
    await trx
      .updateTable('billing_plan_item as item')
      .set({ amount_minor: amount?.minor ?? null })
      .where('contract_line_id', '=', line.id)
      .where('item_key', '=', itemKey)
      .where((eb) => eb.not(eb.exists(issuedDocument(trx))))
      .execute();
}

function issuedDocument(trx: Transaction<DB>) {
  return trx
    .selectFrom('invoice')
    .select('invoice.id')
    .whereRef('invoice.billing_plan_item_id', '=', 'item.id' as never)
    .where('invoice.state', 'in', ['issued', 'settled', 'credited']);
}

function acceptedMilestone(trx: Parameters<Parameters<typeof lineEffect>[3]>[0], contractLineId: string) {
  return trx
    .selectFrom('milestone')
    .select('milestone.id')
    .where('milestone.contract_line_id', '=', contractLineId)
    .whereRef('milestone.milestone_id', '=', 'item.trigger_milestone_id' as never)
    .where('milestone.state', '=', 'accepted');
}
