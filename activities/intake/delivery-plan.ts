import { type Transaction } from 'kysely';
import { z } from 'zod';
import { deliveryPlanSchema } from '../../contracts/api/deals';
import { refuseOvertaken } from '../../db/corrected-events';
import { lockDeal } from '../../db/deals';
import { appliedPlan, planTag, replacePlan } from '../../db/delivery-plan';
import { type DB } from '../../db/types';
import { type Violation } from '../../domain/violation';
import { type Applied, type IntakeEvent } from './intake';

const planSchema = z.object({ dealId: z.uuid(), basedOn: z.string().nullish(), ...deliveryPlanSchema.shape });

/**
 * The delivery plan of a deal before its approval, which is given on its margin: each plan replaces the one that its author looked at
 * (`basedOn`, R-096; null replaces whatever stands; one that was corrected nothing that was applied since, R-381); afterwards the project changes by change order.
 */
export async function applyDeliveryPlan(trx: Transaction<DB>, event: IntakeEvent): Promise<Applied | Violation> {
  const { dealId, basedOn = null, tasks, subcontractorBudgets } = planSchema.parse(event.payload);
  const deal = await lockDeal(trx, dealId);
  const late = event.isCorrection ? await refuseOvertaken(trx, event) : null;
  if (late !== null) return late;
  const refused = refuseFrozen(deal.state) ?? (basedOn === null ? null : await refuseOther(trx, dealId, basedOn));
  const lineIds = (deal.governing ?? deal.terms).lines.map((line) => line.lineId);
  const unplaced = refused === null ? outsideContract(subcontractorBudgets, lineIds) : [];
  const placed = subcontractorBudgets.filter(({ lineId }) => lineIds.includes(lineId));
  if (refused === null) await replacePlan(trx, dealId, { tasks, subcontractorBudgets: placed });
  return {
    stream: `deal/${dealId}`,
    action: 'delivery-plan.recorded',
    details: { tasks: tasks.length },
    rowErrors: refused === null ? unplaced : [refused],
    invoices: [],
    lines: [],
    deals: [],
    projects: [],
  };
}

/** A budget of a line that the deal has not is no budget of anything. */
function outsideContract(budgets: readonly { readonly lineId: string }[], lineIds: readonly string[]): Violation[] {
  return budgets.flatMap(({ lineId }, index) =>
    lineIds.includes(lineId)
      ? []
      : [{ violation: 'LineUnknown', detail: `${lineId} is no line of the deal`, path: `/subcontractorBudgets/${index}/lineId` }],
  );
}

function refuseFrozen(state: string): Violation | null {
  if (['handoff', 'terms'].includes(state)) return null;
  return { violation: 'BaselineFrozen', detail: `the deal is in stage ${state}: what is approved is not changed behind the approval` };
}

/** A plan before it that could not be applied is missed here: this one was made from it. */
async function refuseOther(trx: Transaction<DB>, dealId: string, basedOn: string): Promise<Violation | null> {
  if (planTag(await appliedPlan(trx, dealId)) === basedOn) return null;
  return { violation: 'PreconditionFailed', detail: 'the plan that this one replaces is not the one that stands' };
}
