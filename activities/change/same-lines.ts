import { type Transaction } from 'kysely';
import { type DB } from '../../db/types';
import { type Instant } from '../../domain/deal/terms';

/**
 * What other change orders of the last twelve months were worth that touch one of these lines, in minor units of the group currency: amounts
 * add up, so that splitting does not lower the tier (R-197, RULES Approvals). An order counts with its own value only; ended ones do not count.
 */
export async function earlierOnSameLines(trx: Transaction<DB>, dealId: string, lineIds: readonly string[], at: Instant): Promise<number> {
  const since = new Date(at);
  since.setUTCFullYear(since.getUTCFullYear() - 1);
  const rows = await trx
    .selectFrom('change_order')
    .select(['id', 'value_minor', 'earlier_minor'])
    .distinct()
    .where('deal_id', '=', dealId)
    .where('state', 'in', ['requested', 'approved', 'applied'])
    .where('requested_at', '>', since.toISOString())
    .where((eb) =>
      eb.exists(
        eb
          .selectFrom('change_order_change as change')
          .innerJoin('contract_line as line', 'line.id', 'change.contract_line_id')
          .select('change.position')
          .whereRef('change.change_order_id', '=', 'change_order.id')
          .where('line.line_id', 'in', [...lineIds]),
      ),
    )
    .execute();
  return rows.reduce((total, row) => total + row.value_minor - row.earlier_minor, 0);
}
