import { type Transaction } from 'kysely';
import { monthOf } from '../../domain/calendar/dates';
import { localDateOf } from '../../domain/calendar/zone';
import { type Instant } from '../../domain/deal/terms';
import { periodWorkflowId } from '../../domain/ids';
import { putInboxEvent } from '../inbox';
import { type DB } from '../types';

/** Where the dispatcher knows the engine's own events by. */
export const ENGINE_SOURCE = 'engine';

/**
 * An entity that sells something needs running books: where they have none, or rest, they open with this transaction, and an event of
 * the inbox has their run started (D8). Where they run, nothing is written: many deals at once do not wait for each other.
 */
export async function openBooks(trx: Transaction<DB>, entityId: string, at: Instant): Promise<void> {
  const known = await trx.selectFrom('entity_books').select('state').where('entity_id', '=', entityId).forShare().executeTakeFirst();
  if (known?.state === 'open') return;
  const entity = await trx.selectFrom('legal_entity').select('time_zone').where('id', '=', entityId).executeTakeFirstOrThrow();
  const opened = await trx
    .insertInto('entity_books')
    .values({ entity_id: entityId, state: 'open', first_period: monthOf(localDateOf(at, entity.time_zone)) })
    .onConflict((conflict) =>
      conflict
        .column('entity_id')
        .doUpdateSet((eb) => ({ state: 'open', openings: eb('entity_books.openings', '+', 1) }))
        .where('entity_books.state', '=', 'resting'),
    )
    .returning('openings')
    .executeTakeFirst();
  if (opened === undefined) return;
  await putInboxEvent(trx, {
    source: ENGINE_SOURCE,
    eventId: `books/${entityId}/${opened.openings}`,
    type: 'books-opened',
    subject: periodWorkflowId(entityId),
    sourceOrder: String(opened.openings),
    occurredAt: at,
    businessReceivedAt: at,
    payload: { entityId },
  });
}

/**
 * Lets the books of an entity rest when nothing is left to close: every line has ended with all its revenue, and every month with an entry is
 * closed. A new line waits for this lock, and opens the books again.
 */
export async function restBooks(trx: Transaction<DB>, entityId: string): Promise<boolean> {
  await trx.selectFrom('entity_books').select('entity_id').where('entity_id', '=', entityId).forUpdate().executeTakeFirst();
  const unfinished = await trx
    .selectFrom('contract_line as line')
    .leftJoin('line_books as books', 'books.contract_line_id', 'line.id')
    .select('line.id')
    .where('line.selling_entity_id', '=', entityId)
    .where((eb) => eb.or([eb('books.complete', 'is', null), eb('books.complete', '=', false)]))
    .limit(1)
    .executeTakeFirst();
  if (unfinished !== undefined) return false;
  const openEntry = await trx
    .selectFrom('ledger')
    .select('ledger.entry_id')
    .where('ledger.entity_id', '=', entityId)
    .where((eb) =>
      eb.not(
        eb.exists(
          eb
            .selectFrom('accounting_period as period')
            .select('period.period')
            .where('period.entity_id', '=', entityId)
            .whereRef('period.period', '=', 'ledger.posted_in')
            .where('period.state', '=', 'closed'),
        ),
      ),
    )
    .limit(1)
    .executeTakeFirst();
  if (openEntry !== undefined) return false;
  await trx.updateTable('entity_books').set({ state: 'resting' }).where('entity_id', '=', entityId).execute();
  return true;
}
