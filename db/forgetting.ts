import { sql, type Kysely } from 'kysely';
import { type DB } from './types';

/*
 * What was told outside is forgotten some days after it is done with, the oldest first and so many at a time; each answers how many.
 * What has to be handled by somebody stays: dead letters, facts of messages that are kept.
 */

/** Messages that were taken, or not needed any more; dead letters stay until somebody sends them or ends their endpoint. */
export function forgetTold(db: Kysely<DB>, days: number, limit: number): Promise<number> {
  return forgotten(
    db,
    sql`
    delete from notification where id in (
      select id from notification
       where state in ('sent', 'dropped') and settled_at < ${longAgo(days)} order by settled_at limit ${limit} for update skip locked)`,
  );
}

/** Facts that were looked at and of which no message is left. */
export function forgetFacts(db: Kysely<DB>, days: number, limit: number): Promise<number> {
  return forgotten(
    db,
    sql`
    delete from outbox where id in (
      select id from outbox
       where addressed_at < ${longAgo(days)} and not exists (select from notification_fact as item where item.outbox_id = outbox.id)
       order by addressed_at limit ${limit} for update skip locked)`,
  );
}

/** Links that expired long ago: until then who opens one is told so. */
export function forgetLinks(db: Kysely<DB>, days: number, limit: number): Promise<number> {
  return forgotten(
    db,
    sql`
    delete from decision_link where id in (
      select id from decision_link where expires_at < ${longAgo(days)} order by expires_at limit ${limit} for update skip locked)`,
  );
}

const longAgo = (days: number) => sql`now() - make_interval(days => ${days})`;

async function forgotten(db: Kysely<DB>, statement: ReturnType<typeof sql>): Promise<number> {
  return Number((await statement.execute(db)).numAffectedRows ?? 0n);
}
