import { sql, type Kysely, type Transaction } from 'kysely';
import { type Instant } from '../domain/deal/terms';
import { type FactKind } from '../domain/notification/facts';
import { isViolation, type Violation } from '../domain/violation';
import { appendAudit } from './audit';
import { keyAt, type Page, pageOf, type PageRequest } from './reads/page';
import { type DB } from './types';
import { type EndpointKind } from './webhook-endpoints';

/** A message that nobody took. It names its receiver by id, and of what it says only the kinds. */
export interface DeadLetter {
  readonly id: string;
  readonly channel: EndpointKind | 'mail';
  readonly endpointId: string | null;
  readonly userId: string | null;
  readonly facts: readonly FactKind[];
  readonly attempts: number;
  readonly failure: string | null;
  readonly createdAt: string;
  readonly diedAt: string;
}

/** Dead letters, the last written first. They belong to no entity: for readers of the whole group. */
export async function listDeadLetters(db: Kysely<DB>, page: PageRequest): Promise<Page<DeadLetter>> {
  let query = db.selectFrom('notification').selectAll('notification').where('state', '=', 'dead');
  if (page.after) query = query.where('id', '<', keyAt(page, 0));
  const rows = await query
    .select(
      sql<FactKind[]>`array(
        select fact.kind from notification_fact as item join outbox as fact on fact.id = item.outbox_id
         where item.notification_id = notification.id order by fact.at, fact.id)`.as('facts'),
    )
    .orderBy('id', 'desc')
    .limit(page.limit + 1)
    .execute();
  return pageOf(
    rows,
    page,
    (row) => [row.id],
    (row) => ({
      id: row.id,
      channel: row.channel as DeadLetter['channel'],
      endpointId: row.endpoint_id,
      userId: row.user_id,
      facts: row.facts,
      attempts: row.attempts,
      failure: row.failure,
      createdAt: row.created_at,
      diedAt: row.settled_at ?? row.created_at,
    }),
  );
}

/** Sends a dead letter once more on a person's word, under the same id, and closes the task about it. */
export async function replayNotification(
  db: Kysely<DB>,
  id: string,
  by: { readonly actor: string; readonly at: Instant },
): Promise<{ readonly id: string } | Violation> {
  return db.transaction().execute(async (trx) => {
    const dead = await sendDeadLetterAgain(trx, id);
    if (isViolation(dead)) return dead;
    await trx
      .updateTable('process_exception')
      .set({ closed_at: by.at, settled_as: 'retry' })
      .where('workflow_id', '=', `notification/${id}`)
      .where('closed_at', 'is', null)
      .execute();
    await appendAudit(trx, { stream: 'notifications', action: 'notification.replayed', subject: id, details: dead, ...by });
    return { id };
  });
}

/** Makes a dead letter one that waits; gives how it had failed. */
export async function sendDeadLetterAgain(
  trx: Transaction<DB>,
  id: string,
): Promise<{ readonly attempts: number; readonly failure: string | null } | Violation> {
  const dead = await lockDeadLetter(trx, id);
  if (isViolation(dead)) return dead;
  await trx
    .updateTable('notification')
    .set({ state: 'waiting', attempts: 0, send_at: sql`now()`, settled_at: null, failure: null })
    .where('id', '=', id)
    .execute();
  return dead;
}

/** A dead letter that nobody is to get any more. */
export async function dropDeadLetter(trx: Transaction<DB>, id: string): Promise<Violation | null> {
  const dead = await lockDeadLetter(trx, id);
  if (isViolation(dead)) return dead;
  await trx.updateTable('notification').set({ state: 'dropped' }).where('id', '=', id).execute();
  return null;
}

async function lockDeadLetter(trx: Transaction<DB>, id: string) {
  const row = await trx
    .selectFrom('notification')
    .select(['state', 'attempts', 'failure'])
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst();
  if (row === undefined) return { violation: 'NotificationUnknown', detail: id };
  if (row.state !== 'dead') return { violation: 'NotificationNotDead', detail: `${id} is ${row.state}` };
  return { attempts: row.attempts, failure: row.failure };
}

/** What the outbox and the messages come to, for the metrics. Ages are of the oldest that is due. */
export async function notificationFigures(db: Kysely<DB>) {
  const { rows } = await sql<{ facts: number; fact_age: string; waiting: number; dead: number; message_age: string }>`
    select (select count(*) from outbox where addressed_at is null) as facts,
           (select coalesce(extract(epoch from now() - min(recorded_at)), 0) from outbox where addressed_at is null) as fact_age,
           (select count(*) from notification where state = 'waiting') as waiting,
           (select count(*) from notification where state = 'dead') as dead,
           (select coalesce(extract(epoch from now() - min(send_at)), 0) from notification where state = 'waiting' and send_at <= now())
             as message_age`.execute(db);
  const [row] = rows;
  if (row === undefined) throw new Error('a select without a row');
  const { facts, waiting, dead } = row;
  return { facts, factAgeSeconds: Number(row.fact_age), waiting, dead, messageAgeSeconds: Number(row.message_age) };
}
