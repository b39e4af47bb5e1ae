import { type Transaction } from 'kysely';
import { type Precondition, type WaitView } from '../contracts/workflow-state';
import { type DB } from '../db/types';
import { replaceWaits, type OpenWait, type Wait } from '../db/waits';
import { type Instant } from '../domain/deal/terms';
import { type Violation } from '../domain/violation';
import { currentEffect, currentRun, type ActivityDeps } from './deps';
import { effectOnce, type EffectResult } from './effect-once';
import { refuseChanged } from './precondition';

/** What an effect of a lifecycle needs besides its work: a key, the business identity of its input, the moment and who acts. */
export interface LifecycleEffect {
  readonly key: string;
  readonly identity: unknown;
  readonly at: Instant;
  readonly actor: string;
  /** What the person who asks for it acts on. */
  readonly ifMatch?: Precondition | undefined;
}

/** One effect on behalf of the current run. */
export async function lifecycleEffect<T>(
  { db }: ActivityDeps,
  { ifMatch, ...effect }: LifecycleEffect,
  body: (trx: Transaction<DB>, workflowId: string) => Promise<EffectResult<T> | Violation>,
): Promise<T> {
  const { workflowId } = currentRun();
  return effectOnce(
    db,
    { ...effect, workflowId, name: currentEffect() },
    async (trx) => (await refuseChanged(trx, ifMatch)) ?? body(trx, workflowId),
  );
}

/** The key of a review: it states anew what the facts say, so each look of each run has its own. */
export function reviewKey(what: string, id: string, look: string): string {
  return `${what}/${id}/${currentRun().runId}/${look}`;
}

/**
 * Makes `waits` what the run waits for, in the effect's transaction, and answers them as the run shows them (D6), with the revision of
 * this answer. Call it with the subject locked, so that revisions grow in the order of the commits.
 */
export async function park(
  trx: Transaction<DB>,
  workflowId: string,
  waits: readonly Wait[],
  at: Instant,
): Promise<{ waits: WaitView[]; revision: number }> {
  const { waits: open, revision } = await replaceWaits(trx, workflowId, waits, at);
  return { waits: open.map(waitView), revision };
}

export function waitView({ kind, subject, role, asks, since, due, wakesAt }: OpenWait): WaitView {
  return { kind, subject, role, asks, since, due, wakesAt };
}
