import { type Transaction } from 'kysely';
import { WAITS_FOR_RUN } from '../../contracts/names';
import { type ApprovalView, type DealView } from '../../contracts/workflow-state';
import { type DealRow } from '../../db/deals';
import { wholeGroup } from '../../db/entity-scope';
import { type DB } from '../../db/types';
import { openWaits, type Wait } from '../../db/waits';
import { approvalWorkflowId } from '../../domain/ids';
import { type Instant } from '../../domain/deal/terms';
import { park } from '../lifecycle';

/** What the deal's run shows after an effect. A cancellation and change orders under way stay visible whatever else is waited for. */
export async function dealView(
  trx: Transaction<DB>,
  workflowId: string,
  deal: DealRow,
  waits: readonly Wait[],
  at: Instant,
): Promise<DealView> {
  const ended = ['closed', 'declined', 'cancelled'].includes(deal.state);
  const all = ended ? [] : [...waits, ...(await cancellationWait(trx, deal)), ...(await changeOrderWaits(trx, deal))];
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

/** While an approval is pending, the deal waits for its run. */
export function approvalWaits(deal: Pick<DealRow, 'id' | 'lead_entity_id'>, { state, approvalId }: ApprovalView, asks: string): Wait[] {
  return state === 'pending' ? [runWait(deal, 'approval', approvalWorkflowId(approvalId), asks)] : [];
}

/** What the run waits for now, without the lines that `dealView` adds by itself and without stuck steps, which stay anyhow. */
export async function standingWaits(trx: Transaction<DB>, workflowId: string): Promise<Wait[]> {
  const open = await openWaits(trx, { workflowIds: [workflowId], scope: wholeGroup });
  return open
    .filter((wait) => !NOT_STANDING.includes(wait.kind))
    .map(({ kind, subject, role, entityId, dealId, asks, due, wakesAt }) => ({
      kind,
      subject,
      role,
      entityId,
      dealId,
      asks,
      due,
      wakesAt,
    }));
}

const NOT_STANDING = ['cancellation', 'change-order', 'customer-approval', 'modification-accounting', 'stuck'];

/** What each open change order lacks: the decision of the firm, the approval of the customer, the answers of finance. */
async function changeOrderWaits(trx: Transaction<DB>, deal: DealRow): Promise<Wait[]> {
  const orders = await trx
    .selectFrom('change_order')
    .select(['id', 'number', 'state', 'approval_id', 'entity_id', 'customer_recorded_at', 'accounting_at'])
    .where('deal_id', '=', deal.id)
    .where('state', 'in', ['requested', 'approved'])
    .orderBy('number')
    .execute();
  return orders.flatMap((order) => {
    const asked = (kind: string, role: string, asks: string): Wait => ({
      ...runWait(deal, kind, order.id, `${asks} change order ${order.number}`),
      role,
      entityId: order.entity_id,
    });
    return [
      ...(order.state === 'requested'
        ? [
            {
              ...runWait(deal, 'change-order', approvalWorkflowId(order.approval_id), `decide change order ${order.number}`),
              entityId: order.entity_id,
            },
          ]
        : []),
      ...(order.customer_recorded_at === null ? [asked('customer-approval', 'project-manager', "record the customer's approval of")] : []),
      ...(order.accounting_at === null ? [asked('modification-accounting', 'finance-controller', 'answer how to account for')] : []),
    ];
  });
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
