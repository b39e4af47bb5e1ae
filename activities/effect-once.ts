import { sql, type Kysely, type Transaction } from 'kysely';
import { auditEntry } from '../db/audit';
import { hashOf } from '../db/hash';
import { useKept } from '../db/master-memo';
import { insertIntoOutbox, outboxRow } from '../db/outbox';
import { isStalePlan } from '../runtime/prepared-statements';
import { canonicalJson } from '../domain/canonical-json';
import { type DB } from '../db/types';
import { type Instant } from '../domain/deal/terms';
import { factOfEntry } from '../domain/notification/facts';
import { isViolation, type Violation } from '../domain/violation';
import { Refusal } from './refusal';

/** `identity` is the business identity of the input only: no moments, run ids, attempts or traces (D5). `at` is the business moment. */
export interface EffectContext {
  readonly key: string;
  readonly identity: unknown;
  readonly at: Instant;
  readonly actor: string;
  readonly workflowId?: string;
  /** The name of the effect: where its being stuck is somebody's task, that is closed as soon as it succeeds (R-027). */
  readonly name?: string;
}

/** `answer` is plain JSON; `audit` is written last, to one stream. `entityId` and `texts` are as in `AuditEvent`. */
export interface EffectResult<T> {
  readonly answer: T;
  readonly audit: {
    readonly stream: string;
    readonly action: string;
    readonly subject: string;
    readonly entityId?: string;
    readonly details?: Record<string, unknown>;
    readonly personal?: Record<string, string>;
    readonly texts?: Record<string, string | null>;
  };
}

const MAX_TRIES = 4;

/**
 * Runs `body` at most once per key, in one transaction with its effect row, its audit entry (I-02, D5) and, where the entry is a fact that is
 * told outside, its row of the outbox (R-270). A repeated key with the same
 * identity gives the stored answer, with another identity the refusal `EffectIdentityMismatch`. A violation that `body` returns rolls
 * everything back and is thrown as `Refusal`. Serialization failures, deadlocks and unique keys raced for are tried again here, because
 * a second look settles them; every other error leaves as it is.
 */
export async function effectOnce<T>(
  db: Kysely<DB>,
  context: EffectContext,
  body: (trx: Transaction<DB>) => Promise<EffectResult<T> | Violation>,
): Promise<T> {
  const identityHash = hashOf(context.identity ?? null);
  return triedAgain(() =>
    db.transaction().execute(async (trx) => {
      const claimed = await claim(trx, context);
      if (claimed.identity_hash !== null) return storedAnswer<T>(context.key, claimed, identityHash);
      useKept(db, trx, claimed.master_revision);
      const result = await body(trx);
      if (isViolation(result)) throw new Refusal(result);
      return record(trx, context, identityHash, result);
    }),
  );
}

interface Claimed {
  /** Null where the effect has not happened. */
  readonly identity_hash: string | null;
  readonly answer: unknown;
  readonly master_revision: number;
}

async function claim(trx: Transaction<DB>, { key, workflowId, name, at }: EffectContext): Promise<Claimed> {
  const { rows } = await sql<Claimed>`select * from claim_effect(${key}, ${workflowId ?? null}, ${name ?? null}, ${at})`.execute(trx);
  const [claimed] = rows;
  if (claimed === undefined) throw new Error('master_revision has no row');
  return claimed;
}

function storedAnswer<T>(key: string, stored: Claimed, identityHash: string): T {
  if (stored.identity_hash !== identityHash) {
    throw new Refusal({ violation: 'EffectIdentityMismatch', detail: `${key} was done for another input` });
  }
  return stored.answer as T;
}

async function record<T>(trx: Transaction<DB>, context: EffectContext, identityHash: string, result: EffectResult<T>): Promise<T> {
  const answer = canonicalJson(result.answer ?? null);
  const { key, at, actor, workflowId } = context;
  const entry = await auditEntry(trx, { ...result.audit, at, actor, ...(workflowId === undefined ? {} : { workflowId }) });
  const fact = factOfEntry(result.audit);
  const told =
    fact === null ? sql`` : sql`, told as (${insertIntoOutbox(sql`${JSON.stringify([outboxRow(fact, `effect/${key}`, at)])}::jsonb`)})`;
  await sql`
    with done as (
      insert into effect (key, identity_hash, answer, workflow_id) values (${key}, ${identityHash}, ${answer}, ${workflowId ?? null}))
    ${told}
    select ${entry}`.execute(trx);
  return JSON.parse(answer) as T;
}

async function triedAgain<T>(attempt: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (tries >= MAX_TRIES || !isRaced(error)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 10 * 2 ** tries));
    }
  }
}

/** serialization_failure, deadlock_detected, unique_violation; or a migration came between. */
function isRaced(error: unknown): boolean {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return code === '40001' || code === '40P01' || code === '23505' || isStalePlan(error);
}
