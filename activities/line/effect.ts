import { type Transaction } from 'kysely';
import { type LineView } from '../../contracts/workflow-state';
import { lockLine, type LineRow } from '../../db/lines';
import { type DB } from '../../db/types';
import { closeWaits } from '../../db/waits';
import { isViolation, type Violation } from '../../domain/violation';
import { type ActivityDeps } from '../deps';
import { lifecycleEffect, type LifecycleEffect } from '../lifecycle';
import { planFollowUp } from './follow-up';
import { lineView } from './view';

export interface LineFact {
  readonly action: string;
  readonly subject: string;
  readonly details?: Record<string, unknown>;
  readonly texts?: Record<string, string | null>;
}

/** One effect on a locked line that plans what follows from it and answers where the line stands afterwards. */
export async function lineEffect(
  deps: ActivityDeps,
  contractLineId: string,
  effect: LifecycleEffect,
  change: (trx: Transaction<DB>, line: LineRow) => Promise<LineFact | Violation>,
): Promise<LineView> {
  return lifecycleEffect<LineView>(deps, effect, async (trx, workflowId) => {
    const line = await lockLine(trx, contractLineId);
    const fact = await change(trx, line);
    if (isViolation(fact)) return fact;
    const changed = await lockLine(trx, contractLineId);
    const open = await planFollowUp(trx, changed, effect.at);
    if (isViolation(open)) return open;
    const answer = await lineView(trx, workflowId, changed, open, effect.at);
    if (answer.finished) await endLine(trx, changed, workflowId, effect.at);
    const details = { ...fact.details, ...(answer.finished ? { ended: true } : {}) };
    return { answer, audit: { stream: `deal/${line.deal_id}`, entityId: line.selling_entity_id, ...fact, details } };
  });
}

/** A line that has nothing left ends with the fact that was the last: nothing can come between. */
async function endLine(trx: Transaction<DB>, line: LineRow, workflowId: string, at: string): Promise<void> {
  const state = line.stopped_on === null ? 'finished' : 'cancelled';
  await trx.updateTable('contract_line').set({ state }).where('id', '=', line.id).execute();
  await closeWaits(trx, workflowId, at);
}

/** Blocked items of a line are looked at again at once: a fact has come that may release them. */
export async function unblock(trx: Transaction<DB>, contractLineId: string, at: string): Promise<void> {
  await trx
    .updateTable('billing_plan_item')
    .set({ blocked_until: at })
    .where('contract_line_id', '=', contractLineId)
    .where('state', '=', 'planned')
    .where('blocked_until', 'is not', null)
    .execute();
}
