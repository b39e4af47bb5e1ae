import { sql, type Kysely, type Transaction } from 'kysely';
import { uuidv7 } from 'uuidv7';
import { type Instant } from '../domain/deal/terms';
import { isViolation, type Violation } from '../domain/violation';
import { appendAudit } from './audit';
import { resumeBatch } from './intake-batches';
import { ENGINE_SOURCE } from './books/running';
import { INBOX_CHANNEL, type InboxRow, type InboxState } from './inbox';
import { type DB } from './types';

/** How an event ended. `invalid` and `ignored` carry their reasons. */
export interface InboxOutcome {
  readonly state: 'delivered' | 'ignored' | 'invalid' | 'superseded';
  readonly dealId?: string;
  readonly errors?: readonly Violation[];
}

/** `outage`: nothing is wrong with the event, so however often it fails it is never given up. `at` is the business moment. */
export interface InboxFailure {
  readonly error: string;
  readonly at: Instant;
  readonly outage?: boolean;
  readonly maxAttempts?: number;
}

const MAX_ATTEMPTS = 10;
const LONGEST_BACK_OFF_SECONDS = 60;

/**
 * Claims up to `limit` due events for `owner` for some seconds (D8): one per subject, in the source's order inside it, and none while
 * another of its subject is held. Claims wait for one another, which is short, so that two dispatchers never hold one subject.
 * An event that failed for good does not hold up those behind it: it is a person's task by then.
 */
export async function claimEvents(db: Kysely<DB>, owner: string, limit: number, leaseSeconds: number): Promise<InboxRow[]> {
  const { rows } = await sql<InboxRow>`select * from claim_inbox_events(${owner}, ${limit}, ${leaseSeconds})`.execute(db);
  return rows;
}

/** Whoever is still at work keeps what it holds; a lease that has run out is given back to nobody. */
export async function keepLeases(db: Kysely<DB>, owner: string, leaseSeconds: number): Promise<void> {
  await db
    .updateTable('inbox_event')
    .set({ lease_until: sql`now() + make_interval(secs => ${leaseSeconds})` })
    .where('state', '=', 'received')
    .where('lease_owner', '=', owner)
    .where('lease_until', '>', sql<string>`now()`)
    .execute();
}

/**
 * Ends an event that `owner` holds; false where somebody else holds it by now, and nothing is changed. One that is refused after its sender was
 * told that it is taken becomes a task, with the same commit: nobody else hears of it.
 */
export async function settleEvent(db: Kysely<DB>, id: string, owner: string, outcome: InboxOutcome, at: Instant): Promise<boolean> {
  if (outcome.state !== 'invalid') return settle(db, id, owner, outcome);
  return db.transaction().execute(async (trx) => {
    if (!(await settle(trx, id, owner, outcome))) return false;
    const event = trx.selectFrom('inbox_event').select(['source', 'event_id', 'deal_id']).where('id', '=', id);
    const { source, event_id: eventId, deal_id: dealId } = await event.executeTakeFirstOrThrow();
    const codes = (outcome.errors ?? []).map(({ violation }) => violation);
    if (source !== ENGINE_SOURCE) await openException(trx, id, dealId, `${source} ${eventId}: ${codes.join(', ')}`, at);
    return true;
  });
}

async function settle(db: Kysely<DB>, id: string, owner: string, outcome: InboxOutcome): Promise<boolean> {
  const settled = await db
    .updateTable('inbox_event')
    .set({
      state: outcome.state,
      settled_at: sql`now()`,
      lease_owner: null,
      lease_until: null,
      ...(outcome.dealId === undefined ? {} : { deal_id: outcome.dealId }),
      ...(outcome.errors === undefined ? {} : { errors: JSON.stringify(outcome.errors) }),
    })
    .where('id', '=', id)
    .where('lease_owner', '=', owner)
    .where('state', '=', 'received')
    .executeTakeFirst();
  return settled.numUpdatedRows > 0n;
}

/**
 * Gives an event back after a failure: due again after 1, 2, 4 … at most 60 seconds, and after the last attempt `failed` with a task
 * for the operators, never a silent end. `lost` where somebody else holds it by now.
 */
export async function failEvent(db: Kysely<DB>, id: string, owner: string, failure: InboxFailure): Promise<'retry' | 'failed' | 'lost'> {
  return db.transaction().execute(async (trx) => {
    const row = await trx
      .selectFrom('inbox_event')
      .select(['attempts', 'deal_id', 'source', 'event_id'])
      .where('id', '=', id)
      .where('lease_owner', '=', owner)
      .where('state', '=', 'received')
      .forUpdate()
      .executeTakeFirst();
    if (row === undefined) return 'lost';
    const errors = JSON.stringify([{ violation: 'DeliveryFailed', detail: failure.error }]);
    const maxAttempts = failure.maxAttempts ?? MAX_ATTEMPTS;
    if (failure.outage !== true && row.attempts >= maxAttempts) {
      await release(trx, id, 'failed', errors, 0, row.attempts);
      await openException(trx, id, row.deal_id, `${row.source} ${row.event_id}: ${failure.error}`, failure.at);
      return 'failed';
    }
    const waitSeconds = Math.min(2 ** (row.attempts - 1), LONGEST_BACK_OFF_SECONDS);
    await release(
      trx,
      id,
      'received',
      errors,
      waitSeconds,
      failure.outage === true ? Math.min(row.attempts, maxAttempts - 1) : row.attempts,
    );
    return 'retry';
  });
}

/** Hands an event on once more on a person's word; refused for one that was delivered or is on its way, and for one whose payload is erased. */
export async function replayEvent(db: Kysely<DB>, id: string, by: { actor: string; at: Instant }): Promise<InboxRow | Violation> {
  return db.transaction().execute(async (trx) => {
    const replayed = await handOnAgain(trx, id);
    if (isViolation(replayed)) return replayed;
    await trx
      .updateTable('process_exception')
      .set({ closed_at: by.at, settled_as: 'retry' })
      .where('workflow_id', '=', runOf(id))
      .where('closed_at', 'is', null)
      .execute();
    await appendAudit(trx, { stream: 'inbox', action: 'inbox-event.replayed', subject: id, details: { was: replayed.was }, ...by });
    return replayed.row;
  });
}

/** Makes an event one that is to be handed on, and wakes the dispatchers; refused for one that was delivered or is on its way. */
export async function handOnAgain(trx: Transaction<DB>, id: string): Promise<{ row: InboxRow; was: string } | Violation> {
  const known = await trx.selectFrom('inbox_event').selectAll().where('id', '=', id).forUpdate().executeTakeFirst();
  if (known === undefined) return { violation: 'InboxEventUnknown', detail: id };
  if (known.state === 'received' || known.state === 'delivered')
    return { violation: 'InboxEventNotReplayable', detail: `${id} is ${known.state}` };
  if (known.erased_at !== null) return { violation: 'InboxEventErased', detail: known.erased_at };
  const corrected = await trx.selectFrom('inbox_event').select('id').where('corrects', '=', id).executeTakeFirst();
  if (corrected !== undefined) return { violation: 'InboxEventNotReplayable', detail: `${corrected.id} came in the place of ${id}` };
  const row = await trx
    .updateTable('inbox_event')
    .set({
      state: 'received',
      attempts: 0,
      next_attempt_at: sql`now()`,
      settled_at: null,
      errors: '[]',
      lease_owner: null,
      lease_until: null,
    })
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow();
  await resumeBatch(trx, id);
  await sql`select pg_notify(${INBOX_CHANNEL}, ${id})`.execute(trx);
  return { row: row as InboxRow, was: known.state };
}

/** An event that failed is never handed on again; it is kept, and says by which exception. */
export async function ignoreFailedEvent(trx: Transaction<DB>, id: string, exceptionId: string): Promise<Violation | null> {
  const reason = JSON.stringify([{ violation: 'EventSkipped', detail: `by the outcome of exception ${exceptionId}` }]);
  const ignored = await trx
    .updateTable('inbox_event')
    .set({ state: 'ignored', errors: sql`errors || ${reason}::jsonb`, settled_at: sql`now()` })
    .where('id', '=', id)
    .where('state', 'in', ['failed', 'invalid'])
    .returning('id')
    .executeTakeFirst();
  return ignored === undefined ? { violation: 'InboxEventNotReplayable', detail: `${id} has not failed` } : null;
}

async function release(trx: Transaction<DB>, id: string, state: InboxState, errors: string, waitSeconds: number, attempts: number) {
  await trx
    .updateTable('inbox_event')
    .set({
      state,
      errors,
      attempts,
      next_attempt_at: sql`now() + make_interval(secs => ${waitSeconds})`,
      lease_owner: null,
      lease_until: null,
      settled_at: state === 'received' ? null : sql`now()`,
    })
    .where('id', '=', id)
    .execute();
}

async function openException(trx: Transaction<DB>, id: string, dealId: string | null, detail: string, at: Instant): Promise<void> {
  await trx
    .insertInto('process_exception')
    .values({
      id: uuidv7(),
      workflow_id: runOf(id),
      deal_id: dealId,
      kind: 'inbox-event-failed',
      detail,
      owner_role: 'operator',
      opened_at: at,
    })
    .onConflict((conflict) => conflict.columns(['workflow_id', 'kind']).where('closed_at', 'is', null).doNothing())
    .execute();
}

/** An event has no run of its own; exceptions about it are kept under this name. */
function runOf(id: string): string {
  return `inbox/${id}`;
}
