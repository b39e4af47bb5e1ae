import { type Transaction } from 'kysely';
import { uuidv7 } from 'uuidv7';
import { z } from 'zod';
import { type IntakeActivities } from '../../contracts/activities';
import { ENGINE_ACTOR } from '../../contracts/names';
import { type IntakeResult } from '../../contracts/workflow-state';
import { type DB } from '../../db/types';
import { type Instant } from '../../domain/deal/terms';
import { isViolation, type Violation } from '../../domain/violation';
import { currentRun, type ActivityDeps } from '../deps';
import { effectOnce } from '../effect-once';
import { Refusal } from '../refusal';
import { applyBankStatements } from './bank';
import { applyDeliveryPlan } from './delivery-plan';
import { applyMasterData } from './master-data';
import { applyTimeEntries } from './time';

/** What one kind of outside facts changed, and what was wrong with single rows of it. */
export interface Applied extends Pick<IntakeResult, 'invoices' | 'lines' | 'deals' | 'projects'> {
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
}

type Apply = (trx: Transaction<DB>, event: IntakeEvent) => Promise<Applied | Violation>;

const KINDS: Readonly<Record<string, Apply>> = {
  'bank-statements': applyBankStatements,
  'time-entries': applyTimeEntries,
  'delivery-plan': applyDeliveryPlan,
};

const withDeal = z.object({ dealId: z.uuid() });
const withAuthor = z.object({ by: z.string() });

/** Applies one event of a stream, once, in one transaction; rows that are wrong are named on the event, the good ones count. */
export function applyIntake(deps: ActivityDeps): IntakeActivities['applyIntake'] {
  return async ({ inboxEventId, at }) => {
    const { workflowId } = currentRun();
    const row = await deps.db.selectFrom('inbox_event').selectAll().where('id', '=', inboxEventId).executeTakeFirstOrThrow();
    const named = withDeal.safeParse(row.payload);
    const event = { id: row.id, type: row.type, payload: row.payload, dealId: named.success ? named.data.dealId : row.deal_id, at };
    const author = withAuthor.safeParse(row.payload);
    const actor = author.success ? author.data.by : ENGINE_ACTOR;
    if (row.type === 'master-data') return applyMasterData(deps.db, event, actor);
    const apply = KINDS[row.type];
    if (!apply) throw new Refusal({ violation: 'IntakeTypeUnknown', detail: row.type });
    const context = { key: `intake/${inboxEventId}`, identity: { payloadHash: row.payload_hash }, at, actor, workflowId };
    return orRejected(deps, { inboxEventId, at, actor, workflowId }, () =>
      effectOnce<IntakeResult>(deps.db, context, async (trx) => {
        const applied = await apply(trx, event);
        if (isViolation(applied)) return applied;
        const { stream, action, details, rowErrors, invoices, lines, deals, projects } = applied;
        if (rowErrors.length > 0)
          await trx
            .updateTable('inbox_event')
            .set({ errors: JSON.stringify(rowErrors) })
            .where('id', '=', inboxEventId)
            .execute();
        return {
          answer: { inboxEventId, invoices, lines, deals, projects },
          audit: { stream, action, subject: inboxEventId, details: { ...details, rowErrors: rowErrors.length } },
        };
      }),
    );
  };
}

/** Facts that passed the door and yet cannot be stored end as failed, with a task for people, and the stream goes on. */
async function orRejected(
  { db }: ActivityDeps,
  event: { inboxEventId: string; at: Instant; actor: string; workflowId: string },
  apply: () => Promise<IntakeResult>,
): Promise<IntakeResult> {
  const { inboxEventId, at, actor, workflowId } = event;
  try {
    return await apply();
  } catch (error) {
    const code = sqlState(error);
    if (code === null || !/^2[23]/.test(code)) throw error;
    const context = { key: `intake-rejected/${inboxEventId}`, identity: { inboxEventId }, at, actor, workflowId };
    return effectOnce<IntakeResult>(db, context, async (trx) => {
      const errors = [{ violation: 'ValueNotStorable', detail: `the facts contradict one another or what is stored (${code})` }];
      await trx
        .updateTable('inbox_event')
        .set({ state: 'failed', errors: JSON.stringify(errors) })
        .where('id', '=', inboxEventId)
        .execute();
      await trx
        .insertInto('process_exception')
        .values({
          id: uuidv7(),
          workflow_id: workflowId,
          kind: `intake/${inboxEventId}`,
          detail: code,
          owner_role: 'operator',
          opened_at: at,
        })
        .onConflict((conflict) => conflict.doNothing())
        .execute();
      return {
        answer: { inboxEventId, invoices: [], lines: [], deals: [], projects: [] },
        audit: { stream: 'inbox', action: 'intake.rejected', subject: inboxEventId, details: { code } },
      };
    });
  }
}

function sqlState(error: unknown): string | null {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string' ? error.code : null;
}
