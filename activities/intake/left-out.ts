import { type Transaction } from 'kysely';
import { type DB } from '../../db/types';

/** Rejected, or skipped or corrected by the outcome of an exception. */
export function isLeftOut(state: string): boolean {
  return state === 'failed' || state === 'ignored' || state === 'superseded';
}

/** An outcome may have been carried out since the event was read; from here on it waits for this transaction. */
export async function wasLeftOut(trx: Transaction<DB>, id: string): Promise<boolean> {
  const row = await trx.selectFrom('inbox_event').select('state').where('id', '=', id).forShare().executeTakeFirstOrThrow();
  return isLeftOut(row.state);
}
