import { type Transaction } from 'kysely';
import { type ChangeOrderView } from '../../contracts/workflow-state';
import { changeOrderOf, isReady, lineIdsOf } from '../../db/change-orders';
import { type DealRow } from '../../db/deals';
import { type DB } from '../../db/types';
import { type Instant } from '../../domain/deal/terms';
import { dealView, standingWaits } from '../deal/view';
import { unblock } from '../line/effect';

/** Where a change order stands after an effect; where it has ended, its lines look again at what they held back for it. */
export async function changeOrderView(
  trx: Transaction<DB>,
  workflowId: string,
  deal: DealRow,
  changeOrderId: string,
  at: Instant,
  endedIds: readonly string[] = [],
): Promise<ChangeOrderView> {
  const order = await changeOrderOf(trx, deal.id, changeOrderId);
  if (order === undefined) throw new Error(`change order ${changeOrderId} is gone`);
  const lineIds = new Set(order.settled_at === null ? [] : lineIdsOf(order));
  for (const id of endedIds) {
    const ended = await changeOrderOf(trx, deal.id, id);
    for (const lineId of ended === undefined ? [] : lineIdsOf(ended)) lineIds.add(lineId);
  }
  for (const lineId of lineIds) await unblock(trx, lineId, at);
  return {
    ...(await dealView(trx, workflowId, deal, await standingWaits(trx, workflowId), at)),
    changeOrderId,
    orderState: order.state,
    ready: isReady(order),
    lineIds: [...lineIds].sort(),
    endedIds,
  };
}
