import { type Transaction } from 'kysely';
import { type IntakeResult, type ReopenedLine } from '../../contracts/workflow-state';
import { lockLine } from '../../db/lines';
import { type DB } from '../../db/types';
import { type Instant } from '../../domain/deal/terms';
import { isViolation } from '../../domain/violation';
import { followUpOf } from './follow-up';
import { stateMonths } from './service-months';

/**
 * Lines to which late hours leave something to bill or decide: a line that is active is woken, one that has finished begins anew
 * while its project is still open. Project and lines are locked, so that they cannot end at the same moment; what its months used is stated anew.
 */
export async function linesWithLateHours(
  trx: Transaction<DB>,
  dealId: string,
  at: Instant,
): Promise<Required<Pick<IntakeResult, 'lines' | 'reopened'>>> {
  await trx.selectFrom('project').select('id').where('deal_id', '=', dealId).forShare().execute();
  const candidates = await trx
    .selectFrom('contract_line as line')
    .innerJoin('project', 'project.deal_id', 'line.deal_id')
    .select(['line.id', 'project.id as projectId', 'project.customer_id as customerId'])
    .where('line.deal_id', '=', dealId)
    .where('line.engagement_model', 'in', ['retainer', 'time-and-materials'])
    .where('project.state', 'not in', ['closed', 'cancelled'])
    .orderBy('line.id')
    .execute();
  const lines: string[] = [];
  const reopened: ReopenedLine[] = [];
  for (const { id, projectId, customerId } of candidates) {
    const line = await lockLine(trx, id);
    await stateMonths(trx, line, at);
    if (line.state !== 'active' && line.state !== 'finished') continue;
    const follows = await followUpOf(trx, line, at);
    if (isViolation(follows) || (follows.items.length === 0 && follows.open.length === 0)) continue;
    if (line.state === 'active') lines.push(id);
    else {
      await trx.updateTable('contract_line').set({ state: 'active' }).where('id', '=', id).execute();
      reopened.push({
        contractLineId: id,
        dealId,
        projectId,
        customerId,
        entityId: line.selling_entity_id,
        engagementModel: line.engagement_model,
      });
    }
  }
  return { lines, reopened };
}
