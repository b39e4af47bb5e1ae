import { type Transaction } from 'kysely';
import { type LocalDate } from '../domain/deal/terms';
import { type DB } from './types';

export interface DocumentNumber {
  readonly number: string;
  readonly date: LocalDate;
}

/**
 * The next number of an entity's series, without gaps and never dated before its predecessor (D15). Call it as the last write but
 * the audit of the transaction: the counter row is locked until the commit, and a rollback takes the number back.
 */
export async function nextNumber(trx: Transaction<DB>, entityId: string, series: string, wanted: LocalDate): Promise<DocumentNumber> {
  await trx
    .insertInto('number_series')
    .values({ entity_id: entityId, series, last_number: 0, last_date: wanted })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  const last = await trx
    .selectFrom('number_series')
    .selectAll()
    .where('entity_id', '=', entityId)
    .where('series', '=', series)
    .forUpdate()
    .executeTakeFirstOrThrow();
  const count = last.last_number + 1;
  const date = wanted < last.last_date ? last.last_date : wanted;
  await trx
    .updateTable('number_series')
    .set({ last_number: count, last_date: date })
    .where('entity_id', '=', entityId)
    .where('series', '=', series)
    .execute();
  return { number: `${entityId}-${series}-${String(count).padStart(6, '0')}`, date };
}
