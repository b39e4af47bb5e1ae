import { type Transaction } from 'kysely';
import { z } from 'zod';
import { type IntakeActivities } from '../../contracts/activities';
import { ENGINE_ACTOR } from '../../contracts/names';
import { type IntakeResult } from '../../contracts/workflow-state';
import { type DB } from '../../db/types';
import { type Instant } from '../../domain/deal/terms';
import { isViolation, type Violation } from '../../domain/violation';
import { currentEffect, currentRun, type ActivityDeps } from '../deps';
import { effectOnce, type EffectContext } from '../effect-once';
import { applyBankBlock, applyBankStatements } from './bank';
import { applyDeliveryPlan } from './delivery-plan';
import { applyForecasts } from './forecasts';
import { isLeftOut, wasLeftOut } from './left-out';
import { applyMasterData } from './master-data';
import { noChange, orRejected } from './rejection';
import { applyBatchBlock, openBatch } from './rows-batch';
import { applyTimeEntries } from './time';

/** What one kind of outside facts changed, and what was wrong with single rows of it. */
export interface Applied extends Omit<IntakeResult, 'inboxEventId'> {
  readonly stream: string;
  readonly action: string;
  readonly details: Record<string, unknown>;
  readonly rowErrors: readonly Violation[];
}

export interface IntakeEvent {
  readonly id: string;
  readonly type: string;
  readonly payload: unknown;
  readonly dealId: string | null;
  readonly at: Instant;
  /** Since when it counts among what came before and after it: corrected facts since the wrong ones failed, others since now. */
  readonly countsAt: Instant;
  readonly isCorrection: boolean;
}

type Apply = (trx: Transaction<DB>, event: IntakeEvent) => Promise<Applied | Violation>;

const KINDS: Readonly<Record<string, Apply>> = {
  'bank-statements': applyBankStatements,
  'time-entries': applyTimeEntries,
  'delivery-plan': applyDeliveryPlan,
  'cost-forecasts': applyForecasts,
  'intake-batch': openBatch,
};

/** Kinds that come in blocks. */
const BLOCKS: Readonly<Record<string, (trx: Transaction<DB>, event: IntakeEvent, block: number) => Promise<Applied>>> = {
  'bank-statements': applyBankBlock,
  'intake-batch': applyBatchBlock,
};

const withDeal = z.object({ dealId: z.uuid() });
const withAuthor = z.object({ by: z.string() });

/**
 * Applies one event of a stream, once, in one transaction; rows that are wrong are named on the event, the good ones count. What cannot be
 * applied at all ends as failed with a task for people, and the stream goes on.
 */
export function applyIntake(deps: ActivityDeps): IntakeActivities['applyIntake'] {
  return async ({ inboxEventId, at }) => {
    const { event, actor, payloadHash, state, isErased } = await eventOf(deps, inboxEventId, at);
    if (isLeftOut(state) || isErased) return noChange(inboxEventId);
    const context = effectOf(`intake/${inboxEventId}`, { payloadHash }, at, actor);
    const apply = KINDS[event.type] ?? unknownKind;
    return orRejected(deps, event, actor, () =>
      event.type === 'master-data' ? applyMasterData(deps.db, event, actor) : applied(deps, context, event, (trx) => apply(trx, event)),
    );
  };
}

/** One more block of a large file that was opened before. */
export function applyIntakeBlock(deps: ActivityDeps): IntakeActivities['applyIntakeBlock'] {
  return async ({ inboxEventId, block, at }) => {
    const { event, actor, payloadHash, state } = await eventOf(deps, inboxEventId, at);
    if (isLeftOut(state)) return noChange(inboxEventId);
    const context = effectOf(`intake/${inboxEventId}/block/${block}`, { payloadHash }, at, actor);
    const apply = BLOCKS[event.type];
    return applied(deps, context, event, (trx) => apply?.(trx, event, block) ?? unknownKind(trx, event));
  };
}

async function eventOf({ db }: ActivityDeps, inboxEventId: string, at: Instant) {
  const row = await db.selectFrom('inbox_event').selectAll().where('id', '=', inboxEventId).executeTakeFirstOrThrow();
  const named = withDeal.safeParse(row.payload);
  const author = withAuthor.safeParse(row.payload);
  const dealId = named.success ? named.data.dealId : row.deal_id;
  const event: IntakeEvent = {
    id: row.id,
    type: row.type,
    payload: row.payload,
    dealId,
    at,
    countsAt: row.counts_at ?? at,
    isCorrection: row.corrects !== null,
  };
  return {
    event,
    actor: author.success ? author.data.by : ENGINE_ACTOR,
    payloadHash: row.payload_hash,
    state: row.state,
    isErased: row.erased_at !== null,
  };
}

function effectOf(key: string, identity: unknown, at: Instant, actor: string): EffectContext {
  return { key, identity, at, actor, workflowId: currentRun().workflowId, name: currentEffect() };
}

function applied(
  deps: ActivityDeps,
  context: EffectContext,
  event: IntakeEvent,
  apply: (trx: Transaction<DB>) => Promise<Applied | Violation>,
): Promise<IntakeResult> {
  return effectOnce<IntakeResult>(deps.db, context, async (trx) => {
    if (await wasLeftOut(trx, event.id))
      return { answer: noChange(event.id), audit: { stream: 'inbox', action: 'intake.left-out', subject: event.id } };
    const result = await apply(trx);
    if (isViolation(result)) return result;
    const { stream, action, details, rowErrors, ...moved } = result;
    if (rowErrors.length > 0)
      await trx
        .updateTable('inbox_event')
        .set({ errors: JSON.stringify(rowErrors) })
        .where('id', '=', event.id)
        .execute();
    return {
      answer: { inboxEventId: event.id, ...moved },
      audit: { stream, action, subject: event.id, details: { ...details, rowErrors: rowErrors.length } },
    };
  });
}

function unknownKind(_trx: Transaction<DB>, { type }: IntakeEvent): Promise<Violation> {
  return Promise.resolve({ violation: 'IntakeTypeUnknown', detail: type });
}
