import { type Transaction } from 'kysely';
import { WAITS_FOR_RUN } from '../../contracts/names';
import { type DealView } from '../../contracts/workflow-state';
import { type DealRow } from '../../db/deals';
import { type DB } from '../../db/types';
import { type Wait } from '../../db/waits';
import { approvalWorkflowId } from '../../domain/ids';
import { type Instant } from '../../domain/deal/terms';
import { park } from '../lifecycle';

/** What the deal's run shows after an effect. A cancellation that is being decided stays visible whatever else is waited for. */
export async function dealView(
  trx: Transaction<DB>,
  workflowId: string,
  deal: DealRow,
  waits: readonly Wait[],
  at: Instant,
): Promise<DealView> {
  const ended = ['closed', 'declined', 'cancelled'].includes(deal.state);
  const all = ended ? [] : [...waits, ...(await cancellationWait(trx, deal))];
  return {
    dealId: deal.id,
    entityId: deal.lead_entity_id,
    customerId: deal.terms.customerId,
    state: deal.state,
    stage: deal.state,
    ...(await park(trx, workflowId, all, at)),
  };
}

/** The deal waits for another run, an approval or its lines. */
export function runWait(deal: Pick<DealRow, 'id' | 'lead_entity_id'>, kind: string, workflowId: string, asks: string): Wait {
  return { kind, subject: workflowId, role: WAITS_FOR_RUN, entityId: deal.lead_entity_id, dealId: deal.id, asks, due: null, wakesAt: null };
}

async function cancellationWait(trx: Transaction<DB>, deal: DealRow): Promise<Wait[]> {
  const pending = await trx
    .selectFrom('cancellation_request')
    .select('approval_id')
    .where('deal_id', '=', deal.id)
    .where('state', '=', 'pending')
    .executeTakeFirst();
  return pending ? [runWait(deal, 'cancellation', approvalWorkflowId(pending.approval_id), 'decide the requested cancellation')] : [];
}
