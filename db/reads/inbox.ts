import { type Kysely } from 'kysely';
import { type Violation } from '../../domain/violation';
import { type InboxRow, type InboxState } from '../inbox';
import { type DB } from '../types';
import { keyAt, type Page, pageOf, type PageRequest } from './page';

export interface InboxEventView {
  readonly id: string;
  readonly source: string;
  readonly eventId: string;
  readonly type: string;
  readonly subject: string;
  readonly state: InboxState;
  readonly errors: readonly Violation[];
  readonly dealId: string | null;
  readonly attempts: number;
  readonly occurredAt: string;
  readonly receivedAt: string;
  readonly nextAttemptAt: string;
  readonly settledAt: string | null;
}

/** Events of the inbox, the last received first. They belong to no entity: for readers of the whole group. */
export async function listInboxEvents(
  db: Kysely<DB>,
  filter: { readonly state?: string | undefined; readonly source?: string | undefined },
  page: PageRequest,
): Promise<Page<InboxEventView>> {
  let query = db.selectFrom('inbox_event').selectAll();
  if (filter.state !== undefined) query = query.where('state', '=', filter.state);
  if (filter.source !== undefined) query = query.where('source', '=', filter.source);
  if (page.after) query = query.where('id', '<', keyAt(page, 0));
  const rows = await query
    .orderBy('id', 'desc')
    .limit(page.limit + 1)
    .execute();
  return pageOf(rows as InboxRow[], page, (row) => [row.id], inboxEventView);
}

export function inboxEventView(row: InboxRow): InboxEventView {
  return {
    id: row.id,
    source: row.source,
    eventId: row.event_id,
    type: row.type,
    subject: row.subject,
    state: row.state,
    errors: row.errors as Violation[],
    dealId: row.deal_id,
    attempts: row.attempts,
    occurredAt: row.occurred_at,
    receivedAt: row.received_at,
    nextAttemptAt: row.next_attempt_at,
    settledAt: row.settled_at,
  };
}
