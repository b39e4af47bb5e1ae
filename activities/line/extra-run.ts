import { type LineActivities } from '../../contracts/activities';
import { type Transaction } from 'kysely';
import { insertPlanItems, planItems, type LineRow, type PlanItemRow } from '../../db/lines';
import { type DB } from '../../db/types';
import { type BillingPlanItem } from '../../domain/engagement/model';
import { extraRun } from '../../domain/engagement/time-and-materials-plan';
import { isViolation } from '../../domain/violation';
import { type ActivityDeps } from '../deps';
import { lineEffect } from './effect';
import { planContext } from './follow-up';
import { unbilledOf } from './time-and-materials';

/** Finance asks for a run after the planned ones, because something is left: of the next month that is not cut off. */
export function planRun(deps: ActivityDeps): LineActivities['planRun'] {
  return ({ contractLineId, request }) => {
    const { requestId, by, at, ifMatch } = request;
    const effect = { key: `plan-run/${requestId}`, identity: { contractLineId, by }, at, actor: by, ifMatch };
    return lineEffect(deps, contractLineId, effect, async (trx, line) => {
      if (line.terms.engagementModel !== 'time-and-materials') return { violation: 'LineWithoutRuns', detail: line.engagement_model };
      const known = await planItems(trx, line);
      const planned = known.find((item) => item.kind === 'period-run' && item.state === 'planned');
      if (planned) return { violation: 'RunStillPlanned', detail: `${planned.reference} is still to come` };
      const { time, expenses } = await unbilledOf(trx, line);
      if (time.length + expenses.length === 0) return { violation: 'NothingToRun', detail: `nothing of ${line.line_id} is left to bill` };
      const item = extraRun(line.terms, await planContext(trx, line), at);
      if (isViolation(item)) return item;
      await planAnew(trx, line, item, known);
      return { action: 'run.planned', subject: item.reference, details: { requestId, items: time.length + expenses.length } };
    });
  };
}

/** A month that was planned before and became void is planned again. */
async function planAnew(trx: Transaction<DB>, line: LineRow, item: BillingPlanItem, known: readonly PlanItemRow[]): Promise<void> {
  const before = known.find((each) => each.itemKey === item.itemKey);
  if (before === undefined) return insertPlanItems(trx, line.id, line.currency, [item]);
  await trx
    .updateTable('billing_plan_item')
    .set({ state: 'planned', settled_at: null, held_reason: null, held_reason_id: null })
    .where('id', '=', before.id)
    .execute();
}
