import { sql, type Kysely, type Transaction } from 'kysely';
import { type Instant } from '../domain/deal/terms';
import { type Violation } from '../domain/violation';
import { type InboxRow, putInboxEvent } from './inbox';
import { type DB } from './types';

/**
 * Puts corrected facts in the place of an event that could not be applied: an event of their own with the place of the first one in its
 * source's order, which counts from `failedAt`, when that one failed, so that what came later still counts as later. The first one is kept as
 * it was sent.
 */
export async function replaceEvent(
  trx: Transaction<DB>,
  original: InboxRow,
  {
    payload,
    choiceId,
    failedAt,
    at,
  }: { readonly payload: unknown; readonly choiceId: string; readonly failedAt: Instant; readonly at: Instant },
): Promise<InboxRow> {
  const { id, source, event_id: eventId, type, subject, source_order: sourceOrder, occurred_at: occurredAt } = original;
  const event = { source, type, subject, sourceOrder, occurredAt, businessReceivedAt: at, payload, corrects: id };
  const countsAt = original.counts_at ?? failedAt;
  const { row } = await putInboxEvent(trx, { ...event, countsAt, eventId: `${eventId}/corrected/${choiceId}` });
  const reason = JSON.stringify([{ violation: 'EventCorrected', detail: `${row.id} came in its place` }]);
  await trx
    .updateTable('inbox_event')
    .set({ state: 'superseded', errors: sql`errors || ${reason}::jsonb`, settled_at: sql`now()` })
    .where('id', '=', id)
    .execute();
  return row;
}

/** The event that came in the place of another. */
export async function correctionOf(db: Kysely<DB>, id: string): Promise<InboxRow | undefined> {
  return (await db.selectFrom('inbox_event').selectAll().where('corrects', '=', id).executeTakeFirst()) as InboxRow | undefined;
}

/** Facts of which each replaces all that came before it. */
const REPLACING: readonly string[] = ['delivery-plan', 'master-data'];

/** With these a plan was not applied. */
const NOT_APPLIED = ['PreconditionFailed', 'BaselineFrozen'];

/**
 * Corrected facts do not take the place of what came after the wrong ones and counts already: refused where each replaces all before it
 * and a later one was applied. One that is still on its way follows after them.
 */
export async function refuseOvertaken(trx: Transaction<DB>, event: Pick<InboxRow, 'id' | 'type'>): Promise<Violation | null> {
  if (!REPLACING.includes(event.type)) return null;
  const { rows } = await sql<{ id: string }>`
    select later.id from inbox_event as own
      join inbox_event as later
        on later.source = own.source and later.subject = own.subject and later.type = own.type and later.source_order > own.source_order
     where own.id = ${event.id} and later.state = 'delivered'
       and (later.type <> 'delivery-plan' or exists (select from effect where effect.key = 'intake/' || later.id))
       and not exists (select from jsonb_array_elements(later.errors) as error where error ->> 'violation' = any(${NOT_APPLIED}))
     limit 1`.execute(trx);
  const [later] = rows;
  return later === undefined
    ? null
    : { violation: 'CorrectionOvertaken', detail: `${later.id} came later and was applied`, path: '/correction' };
}
