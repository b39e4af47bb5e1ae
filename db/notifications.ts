import { sql, type Kysely, type Transaction } from 'kysely';
import { uuidv7 } from 'uuidv7';
import { type ToldFact } from '../domain/notification/message';
import { type EndpointKind } from './webhook-endpoints';
import { type DB } from './types';

/** A message that is due, with what it says and what is needed to send it. */
export interface DueNotification {
  readonly id: string;
  readonly attempts: number;
  readonly facts: readonly ToldFact[];
  readonly to:
    | { readonly channel: EndpointKind; readonly endpointId: string; readonly sealedUrl: string; readonly sealedSecret: string | null }
    | { readonly channel: 'mail'; readonly userId: string; readonly address: string; readonly timeZone: string };
}

/** A message of a fact to an endpoint, or to a person at once. */
export async function addNotification(
  trx: Transaction<DB>,
  factId: string,
  to: { readonly channel: EndpointKind; readonly endpointId: string } | { readonly channel: 'mail'; readonly userId: string },
): Promise<void> {
  const id = uuidv7();
  const receiver = 'endpointId' in to ? { endpoint_id: to.endpointId } : { user_id: to.userId };
  await trx
    .insertInto('notification')
    .values({ id, channel: to.channel, ...receiver })
    .execute();
  await trx.insertInto('notification_fact').values({ notification_id: id, outbox_id: factId }).execute();
}

/** Puts a fact into a person's mail of that moment; false where that mail is on its way already. */
export async function addToDigest(trx: Transaction<DB>, factId: string, userId: string, digestAt: string): Promise<boolean> {
  const digest = await trx
    .insertInto('notification')
    .values({ id: uuidv7(), channel: 'mail', user_id: userId, digest_at: digestAt, send_at: digestAt })
    .onConflict((conflict) =>
      conflict
        .columns(['user_id', 'digest_at'])
        .where('digest_at', 'is not', null)
        .doUpdateSet({ digest_at: digestAt })
        .where('notification.state', '=', 'waiting')
        .where('notification.attempts', '=', 0),
    )
    .returning('id')
    .executeTakeFirst();
  if (digest === undefined) return false;
  await trx.insertInto('notification_fact').values({ notification_id: digest.id, outbox_id: factId }).execute();
  return true;
}

export interface Claim {
  readonly owner: string;
  readonly limit: number;
  readonly leaseSeconds: number;
}

/** Of one endpoint so many at once: one that hangs does not keep the others waiting. */
const PER_ENDPOINT = 4;

/** Takes messages that are due for some seconds; what a sender that was killed held is taken by another one afterwards, under the same id. */
export async function claimNotifications(db: Kysely<DB>, { owner, limit, leaseSeconds }: Claim): Promise<DueNotification[]> {
  const { rows } = await sql<ClaimedRow>`
    with due as (
      select id, endpoint_id, row_number() over (partition by endpoint_id, user_id order by send_at, id) as place
        from notification
       where state = 'waiting' and send_at <= now() and (lease_until is null or lease_until <= now())
    ), chosen as (
      select held.id
        from notification as held join due using (id)
       where held.state = 'waiting' and held.send_at <= now() and (held.lease_until is null or held.lease_until <= now())
         and (due.endpoint_id is null or due.place + (
           select count(*) from notification as sending
            where sending.endpoint_id = due.endpoint_id and sending.state = 'waiting' and sending.lease_until > now()) <= ${PER_ENDPOINT})
       order by held.send_at, held.id
       limit ${limit}
       for update of held skip locked
    ), claimed as (
      update notification as held
         set lease_owner = ${owner}, lease_until = now() + make_interval(secs => ${leaseSeconds}), attempts = held.attempts + 1
       where held.id in (select id from chosen)
      returning held.*
    )
    select claimed.id, claimed.attempts, claimed.channel, claimed.endpoint_id, endpoint.sealed_url, endpoint.sealed_secret, claimed.user_id,
           person.email, calendar.time_zone,
           (select jsonb_agg(jsonb_build_object('kind', fact.kind, 'data', fact.data, 'at', fact.at) order by fact.at, fact.id)
              from notification_fact as item join outbox as fact on fact.id = item.outbox_id where item.notification_id = claimed.id) as facts
      from claimed
      left join webhook_endpoint as endpoint on endpoint.id = claimed.endpoint_id
      left join app_user as person on person.id = claimed.user_id
      left join calendar on calendar.id = person.calendar_id
     order by claimed.send_at, claimed.id`.execute(db);
  return rows.map(dueNotification);
}

/** How an attempt ended: taken, not needed any more, or failed; then when it is tried next, or never again (null). */
export type Outcome =
  { readonly state: 'sent' | 'dropped' } | { readonly state: 'failed'; readonly failure: string; readonly nextInSeconds: number | null };

/** Ends an attempt of whoever holds the message; false where somebody else holds it by now. A dead letter is a task of the operators. */
export async function settleNotification(db: Kysely<DB>, id: string, owner: string, outcome: Outcome, at: string): Promise<boolean> {
  const failed = outcome.state === 'failed' ? outcome : null;
  const isDead = failed !== null && failed.nextInSeconds === null;
  const waits = failed !== null && failed.nextInSeconds !== null;
  return db.transaction().execute(async (trx) => {
    const settled = await trx
      .updateTable('notification')
      .set({
        state: waits ? 'waiting' : isDead ? 'dead' : outcome.state,
        failure: failed?.failure ?? null,
        lease_owner: null,
        lease_until: null,
        settled_at: waits ? null : sql`now()`,
        ...(waits ? { send_at: sql`now() + make_interval(secs => ${failed.nextInSeconds})` } : {}),
      })
      .where('id', '=', id)
      .where('lease_owner', '=', owner)
      .where('state', '=', 'waiting')
      .returning('channel')
      .executeTakeFirst();
    if (settled === undefined) return false;
    if (isDead) await openTask(trx, id, `${settled.channel} not delivered: ${failed.failure}`, at);
    return true;
  });
}

async function openTask(trx: Transaction<DB>, id: string, detail: string, at: string): Promise<void> {
  await trx
    .insertInto('process_exception')
    .values({ id: uuidv7(), workflow_id: `notification/${id}`, kind: 'notification-dead', detail, owner_role: 'operator', opened_at: at })
    .onConflict((conflict) => conflict.columns(['workflow_id', 'kind']).where('closed_at', 'is', null).doNothing())
    .execute();
}

interface ClaimedRow {
  readonly id: string;
  readonly attempts: number;
  readonly channel: EndpointKind | 'mail';
  readonly endpoint_id: string | null;
  readonly sealed_url: string | null;
  readonly sealed_secret: string | null;
  readonly user_id: string | null;
  readonly email: string | null;
  readonly time_zone: string | null;
  readonly facts: readonly ToldFact[];
}

function dueNotification(row: ClaimedRow): DueNotification {
  const facts = row.facts.map(({ kind, data, at }) => ({ kind, data, at: new Date(at).toISOString() }));
  const { id, attempts, channel } = row;
  if (channel === 'mail')
    return { id, attempts, facts, to: { channel, userId: row.user_id ?? '', address: row.email ?? '', timeZone: row.time_zone ?? 'UTC' } };
  const { endpoint_id: endpointId, sealed_url: sealedUrl, sealed_secret: sealedSecret } = row;
  return { id, attempts, facts, to: { channel, endpointId: endpointId ?? '', sealedUrl: sealedUrl ?? '', sealedSecret } };
}
