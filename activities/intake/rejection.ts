import { uuidv7 } from 'uuidv7';
import { type IntakeResult } from '../../contracts/workflow-state';
import { failBatch } from '../../db/intake-batches';
import { type Violation } from '../../domain/violation';
import { currentRun, type ActivityDeps } from '../deps';
import { effectOnce } from '../effect-once';
import { Refusal } from '../refusal';
import { type IntakeEvent } from './intake';

/** Who looks at facts that were rejected: whoever can talk to their sender. */
const OWNERS: Readonly<Record<string, string>> = { 'bank-statements': 'accounts-receivable' };

/**
 * Facts that passed the door and yet cannot be applied, because a rule refuses them or the database cannot hold them, end as failed with a
 * task for people, and the stream goes on with the next. Put right, or taken back by their sender, they are replayed.
 */
export async function orRejected(
  deps: ActivityDeps,
  event: IntakeEvent,
  actor: string,
  apply: () => Promise<IntakeResult>,
): Promise<IntakeResult> {
  try {
    return await apply();
  } catch (error) {
    const violation = rejected(error);
    if (violation === null) throw error;
    return reject(deps, event, actor, violation);
  }
}

/** The answer of an event that changed nothing. */
export function noChange(inboxEventId: string): IntakeResult {
  return { inboxEventId, invoices: [], lines: [], deals: [], projects: [] };
}

/** Data exceptions and broken constraints say that the facts are wrong; every other error is an outage or a bug. */
function rejected(error: unknown): Violation | null {
  if (error instanceof Refusal) return error.violation.violation === 'EffectIdentityMismatch' ? null : error.violation;
  const code = typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (!/^2[23][0-9A-Z]{3}$/.test(code)) return null;
  return { violation: 'ValueNotStorable', detail: `the facts contradict one another or what is stored (${code})` };
}

async function reject({ db }: ActivityDeps, event: IntakeEvent, actor: string, violation: Violation): Promise<IntakeResult> {
  const { id, at } = event;
  const { next_attempt_at: handedOn } = await db
    .selectFrom('inbox_event')
    .select('next_attempt_at')
    .where('id', '=', id)
    .executeTakeFirstOrThrow();
  const key = `intake-rejected/${id}/${handedOn}`;
  return effectOnce<IntakeResult>(db, { key, identity: { id }, at, actor, workflowId: currentRun().workflowId }, async (trx) => {
    const deal =
      event.dealId === null ? undefined : await trx.selectFrom('deal').select('id').where('id', '=', event.dealId).executeTakeFirst();
    // Whoever skipped or corrected it meanwhile has dealt with it; what its run took is not always on record as delivered yet.
    const failed = await trx
      .updateTable('inbox_event')
      .set({ state: 'failed', errors: JSON.stringify([violation]) })
      .where('id', '=', id)
      .where('state', 'in', ['received', 'delivered'])
      .executeTakeFirst();
    if (failed.numUpdatedRows === 0n) return { answer: noChange(id), audit: { stream: 'inbox', action: 'intake.left-out', subject: id } };
    await failBatch(trx, id);
    await trx
      .insertInto('process_exception')
      .values({
        id: uuidv7(),
        workflow_id: `inbox/${id}`,
        deal_id: deal?.id ?? null,
        kind: 'intake-rejected',
        detail: `${event.type}: ${violation.violation}: ${violation.detail}`,
        owner_role: OWNERS[event.type] ?? 'operator',
        opened_at: at,
      })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
    return {
      answer: noChange(id),
      audit: { stream: 'inbox', action: 'intake.rejected', subject: id, details: { code: violation.violation } },
    };
  });
}
