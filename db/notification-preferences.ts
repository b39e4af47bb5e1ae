import { sql, type Kysely } from 'kysely';
import { type DB } from './types';

/** How a person wants to be told. `digestHour` null: each message at once. */
export interface NotificationPreference {
  readonly mail: boolean;
  readonly digestHour: number | null;
}

/** Of whoever has chosen nothing. */
export const DEFAULT_PREFERENCE: NotificationPreference = { mail: true, digestHour: null };

/** A person with the time zone in which their day runs. */
export interface Recipient extends NotificationPreference {
  readonly userId: string;
  readonly timeZone: string;
}

export async function preferenceOf(db: Kysely<DB>, userId: string): Promise<NotificationPreference> {
  const row = await db.selectFrom('notification_preference').selectAll().where('user_id', '=', userId).executeTakeFirst();
  return row === undefined ? DEFAULT_PREFERENCE : { mail: row.mail, digestHour: row.digest_hour };
}

export async function savePreference(db: Kysely<DB>, userId: string, { mail, digestHour }: NotificationPreference): Promise<void> {
  await db
    .insertInto('notification_preference')
    .values({ user_id: userId, mail, digest_hour: digestHour })
    .onConflict((conflict) => conflict.column('user_id').doUpdateSet({ mail, digest_hour: digestHour, changed_at: sql`now()` }))
    .execute();
}

/** Of some people those who are active and take mail, with how they take it. */
export async function mailRecipients(db: Kysely<DB>, userIds: readonly string[]): Promise<Recipient[]> {
  const rows = await db
    .selectFrom('app_user as person')
    .innerJoin('calendar', 'calendar.id', 'person.calendar_id')
    .leftJoin('notification_preference as wish', 'wish.user_id', 'person.id')
    .select(['person.id', 'calendar.time_zone', 'wish.mail', 'wish.digest_hour'])
    .where('person.id', '=', sql<string>`any(${[...userIds]}::text[])`)
    .where('person.active', '=', true)
    .orderBy('person.id')
    .execute();
  return rows
    .filter(({ mail }) => mail ?? DEFAULT_PREFERENCE.mail)
    .map((row) => ({ userId: row.id, timeZone: row.time_zone, mail: true, digestHour: row.digest_hour }));
}
