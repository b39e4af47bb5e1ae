import { type Transaction } from 'kysely';
import { type ChoiceRow, type ExceptionRow } from '../../../db/exceptions';
import { type DB } from '../../../db/types';
import { type Outcome, type Wanted } from './table';

/** A change order of the deal is to cover it: the exception ends when that cures its cause, and comes back where it does not. */
export const linkChangeOrder: Outcome = {
  refuse: async (trx, { row, choice }) => {
    if (choice.findingIds !== null)
      return {
        violation: 'OutcomeNotOffered',
        detail: 'an order is to cover all that is open: nobody would be asked about the rest',
        path: '/items',
      };
    const order = await orderOf(trx, row, choice);
    if (order === undefined) return { violation: 'ChangeOrderUnknown', detail: choice.target ?? '', path: '/target' };
    const isOpen = order.state === 'requested' || order.state === 'approved';
    return isOpen ? null : { violation: 'ChangeOrderSettled', detail: `it is ${order.state}`, path: '/target' };
  },
  carryOut: async (trx, { row, choice }) => {
    const order = await orderOf(trx, row, choice);
    return { settles: false, tells: [], details: { changeOrderId: order?.id } };
  },
  look: async (trx, { row, choice }) => {
    const order = await orderOf(trx, row, choice);
    return order?.state === 'refused' || order?.state === 'withdrawn' ? 'lost' : null;
  },
};

/** Whether what an outcome waits for is being decided still. */
export async function isStillOpen(trx: Transaction<DB>, row: ExceptionRow, choice: ChoiceRow): Promise<boolean> {
  if (choice.option !== 'change-order') return false;
  const order = await orderOf(trx, row, choice);
  return order?.state === 'requested' || order?.state === 'approved';
}

/** The order that an outcome names: of several of one number the last. It does not end before the transaction does, or nobody would be told. */
export function orderOf(trx: Transaction<DB>, { deal_id: dealId }: ExceptionRow, { target }: Pick<Wanted['choice'], 'target'>) {
  return trx
    .selectFrom('change_order')
    .select(['id', 'state'])
    .where('deal_id', '=', dealId)
    .where('number', '=', target)
    .orderBy('requested_at', 'desc')
    .forShare()
    .executeTakeFirst();
}
