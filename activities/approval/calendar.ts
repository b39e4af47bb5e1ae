import { type Transaction } from 'kysely';
import { calendarIdOfUser } from '../../db/directory';
import { calendarOf, entityOf } from '../../db/parties';
import { type DB } from '../../db/types';
import { type WorkingCalendar } from '../../domain/calendar/working-day';

/** By whose working time people are waited for: that of the first of them, of the entity where there is nobody. */
export async function calendarOfFirst(trx: Transaction<DB>, people: readonly string[], entityId: string): Promise<WorkingCalendar> {
  const [first] = people;
  return first === undefined ? (await entityOf(trx, entityId)).calendar : calendarOf(trx, await calendarIdOfUser(trx, first));
}
