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
  const { count, date } = await lockNext(trx, entityId, series, wanted);
  await trx
    .updateTable('number_series')
    .set({ last_number: count, last_date: date })
    .where('entity_id', '=', entityId)
    .where('series', '=', series)
    .execute();
  return { number: `${entityId}-${series}-${String(count).padStart(6, '0')}`, date };
}

/** The date that the next number would carry; it stays so until the end of the transaction, because the counter row is locked. */
export async function dateOfNextNumber(trx: Transaction<DB>, entityId: string, series: string, wanted: LocalDate): Promise<LocalDate> {
  return (await lockNext(trx, entityId, series, wanted)).date;
}

async function lockNext(trx: Transaction<DB>, entityId: string, series: string, wanted: LocalDate) {
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
  return { count: last.last_number + 1, date: wanted < last.last_date ? last.last_date : wanted };
}
