import { type Transaction } from 'kysely';
import { type DB } from '../../db/types';
import { lastPeriodAfterStop } from '../../domain/engagement/stop';
import { type InvoiceRow } from './view';

/**
 * What a stop of its line makes of a draft (I-13, R-182): `void` where its period lies beyond the stop, `anew` where it is a fee for more
 * days than the line has, which is billed once more for the days it has; null where the draft stands.
 */
export async function fateOfDraft(trx: Transaction<DB>, invoice: InvoiceRow): Promise<'void' | 'anew' | null> {
  const { stoppedOn, engagementModel, planned } = await trx
    .selectFrom('contract_line as line')
    .leftJoin('billing_plan_item as item', (join) => join.on('item.id', '=', invoice.billing_plan_item_id))
    .select(['line.stopped_on as stoppedOn', 'line.engagement_model as engagementModel', 'item.amount_minor as planned'])
    .where('line.id', '=', invoice.contract_line_id)
    .executeTakeFirstOrThrow();
  if (stoppedOn === null || invoice.kind === 'milestone') return null;
  if (invoice.period > lastPeriodAfterStop(engagementModel, stoppedOn)) return 'void';
  return planned !== null && invoice.net_minor > planned ? 'anew' : null;
}
