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
    const answer = await lineAfter(trx, workflowId, await lockLine(trx, contractLineId), effect.at);
    return isViolation(answer) ? answer : { answer, audit: lineAudit(line, fact, answer) };
  });
}

/**
 * Plans what follows from a fact and answers where the line stands. One that has nothing left ends with the fact that was the last: nothing
 * can come between.
 */
export async function lineAfter(trx: Transaction<DB>, workflowId: string, line: LineRow, at: string): Promise<LineView | Violation> {
  const open = await planFollowUp(trx, line, at);
  if (isViolation(open)) return open;
  const view = await lineView(trx, workflowId, line, open, at);
  if (!view.finished) return view;
  const state = line.stopped_on === null ? 'finished' : 'cancelled';
  await trx.updateTable('contract_line').set({ state }).where('id', '=', line.id).execute();
  await closeWaits(trx, workflowId, at);
  return view;
}

/** Where the log speaks of a line; it says, too, when a fact was its last. */
export function lineAudit(line: LineRow, fact: LineFact, { finished }: LineView) {
  const details = { ...fact.details, ...(finished ? { ended: true } : {}) };
  return { stream: `deal/${line.deal_id}`, entityId: line.selling_entity_id, ...fact, details };
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
