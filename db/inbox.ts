import { sql, type Kysely, type Selectable } from 'kysely';
import { uuidv7 } from 'uuidv7';
import { type Decimal } from '../domain/decimal';
import { type Instant } from '../domain/deal/terms';
import { type Violation } from '../domain/violation';
import { sha256 } from './hash';
import { canonicalJson } from '../domain/canonical-json';
import { type DB } from './types';

export type InboxState = 'received' | 'delivered' | 'ignored' | 'invalid' | 'failed' | 'superseded';
export type InboxRow = Omit<Selectable<DB['inbox_event']>, 'state'> & { readonly state: InboxState };

/** An outside event as it arrived. `subject` is what it tells about, `sourceOrder` the source's own order inside a subject (D7). */
export interface NewInboxEvent {
  readonly source: string;
  readonly eventId: string;
  readonly type: string;
  readonly subject: string;
  readonly sourceOrder: Decimal;
  readonly occurredAt: Instant;
  readonly businessReceivedAt: Instant;
  readonly payload: unknown;
  readonly state?: 'received' | 'ignored' | 'invalid';
  readonly errors?: readonly Violation[];
  /** Handed on no sooner than so many seconds from now; default at once. */
  readonly inSeconds?: number;
  /** The event in whose place it comes. */
  readonly corrects?: string;
  /** Since when it counts, where that is not when it is applied. */
  readonly countsAt?: Instant;
}

/** Channel on which a dispatcher listens; the payload is the id of the event. */
export const INBOX_CHANNEL = 'inbox';

/**
 * Stores an event once per source and event id, whatever becomes of it, and wakes the dispatchers (I-01, D8). A repeated event gives the
 * stored row; `sameContent` is false where it came with another payload, which changes nothing.
 */
export async function putInboxEvent(
  db: Kysely<DB>,
  event: NewInboxEvent,
): Promise<{ inserted: boolean; sameContent: boolean; row: InboxRow }> {
  const payload = canonicalJson(event.payload ?? null);
  const payloadHash = sha256(payload);
  const { state = 'received', inSeconds = 0 } = event;
  const inserted = await sql<InboxRow>`
    with stored as (
      insert into inbox_event (id, source, event_id, type, subject, source_order, occurred_at, business_received_at, payload,
                               payload_hash, state, errors, corrects, counts_at, settled_at, next_attempt_at)
      values (${uuidv7()}, ${event.source}, ${event.eventId}, ${event.type}, ${event.subject}, ${event.sourceOrder}, ${event.occurredAt},
              ${event.businessReceivedAt}, ${payload}, ${payloadHash}, ${state}, ${JSON.stringify(event.errors ?? [])}, ${event.corrects ?? null},
              ${event.countsAt ?? null}::timestamptz,
              case when ${state} = 'received' then null else now() end, now() + make_interval(secs => ${inSeconds}))
      on conflict (source, event_id) do nothing
      returning *
    ), told as (select pg_notify(${INBOX_CHANNEL}, stored.id::text) from stored where stored.state = 'received' and ${inSeconds} = 0)
    select stored.* from stored left join told on true`.execute(db);
  const row = inserted.rows[0];
  if (row !== undefined) return { inserted: true, sameContent: true, row };
  const known = await db
    .selectFrom('inbox_event')
    .selectAll()
    .where('source', '=', event.source)
    .where('event_id', '=', event.eventId)
    .executeTakeFirstOrThrow();
  return { inserted: false, sameContent: known.payload_hash === payloadHash, row: known as InboxRow };
}

/** One event of the inbox by its id. */
export async function inboxEvent(db: Kysely<DB>, id: string): Promise<InboxRow | undefined> {
  return (await db.selectFrom('inbox_event').selectAll().where('id', '=', id).executeTakeFirst()) as InboxRow | undefined;
}

/** The event that a source sent under its own id. */
export async function inboxEventOf(db: Kysely<DB>, source: string, eventId: string): Promise<InboxRow | undefined> {
  const query = db.selectFrom('inbox_event').selectAll().where('source', '=', source).where('event_id', '=', eventId);
  return (await query.executeTakeFirst()) as InboxRow | undefined;
}

/** How many events are in each state, and how many of the received ones a dispatcher holds or could claim now (`due`). */
export async function inboxCounts(db: Kysely<DB>): Promise<Record<InboxState | 'due', number>> {
  const rows = await sql<{ state: InboxState; count: number; due: number }>`
    select state, count(*) as count, count(*) filter (where state = 'received' and next_attempt_at <= now()) as due
      from inbox_event group by state`.execute(db);
  const counts = { received: 0, delivered: 0, ignored: 0, invalid: 0, failed: 0, superseded: 0, due: 0 };
  for (const row of rows.rows) {
    counts[row.state] = row.count;
    counts.due += row.due;
  }
  return counts;
}
