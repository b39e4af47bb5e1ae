import { sql, type Kysely, type Transaction } from 'kysely';
import { uuidv7 } from 'uuidv7';
import { type Absence } from '../domain/approval/absence';
import { type Instant } from '../domain/deal/terms';
import { type DB } from './types';

/** An active person, with the entity at home and the zone in whose days that person is away. */
export async function absentee(db: Kysely<DB>, userId: string): Promise<{ entityId: string; timeZone: string } | undefined> {
  return db
    .selectFrom('app_user as person')
    .innerJoin('calendar', 'calendar.id', 'person.calendar_id')
    .select(['person.entity_id as entityId', 'calendar.time_zone as timeZone'])
    .where('person.id', '=', userId)
    .where('person.active', '=', true)
    .executeTakeFirst();
}

/** What is known of somebody's absences now, in order. */
export async function absencesOf(db: Kysely<DB>, userId: string): Promise<Absence[]> {
  const rows = await db
    .selectFrom('absence')
    .select(['away_from', 'away_until'])
    .where('user_id', '=', userId)
    .where('replaced_at', 'is', null)
    .orderBy('away_from')
    .execute();
  return rows.map((row) => ({ from: row.away_from, until: row.away_until }));
}

/**
 * Puts what is known of somebody's absences in the place of what was known; false where it is the same. What was known before stays on record
 * with the moment until which it was (R-267).
 */
export async function replaceAbsences(trx: Transaction<DB>, userId: string, told: readonly Absence[], at: Instant): Promise<boolean> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`absences/${userId}`}, 0))`.execute(trx);
  const known = await absencesOf(trx, userId);
  if (known.length === told.length && known.every(({ from, until }, index) => from === told[index]?.from && until === told[index]?.until))
    return false;
  const replaced = sql<string>`greatest(recorded_at, ${at}::timestamptz)`;
  await trx.updateTable('absence').set({ replaced_at: replaced }).where('user_id', '=', userId).where('replaced_at', 'is', null).execute();
  const rows = told.map(({ from, until }) => ({ id: uuidv7(), user_id: userId, away_from: from, away_until: until, recorded_at: at }));
  if (rows.length > 0) await trx.insertInto('absence').values(rows).execute();
  return true;
}
