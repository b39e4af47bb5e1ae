import { type Kysely } from 'kysely';
import { hashOf } from './hash';
import { type DB } from './types';

/** What an effect answered; null where it has not happened for this identity. */
export async function answerOfEffect<T>(db: Kysely<DB>, { key, identity }: { key: string; identity: object }): Promise<T | null> {
  const row = await db.selectFrom('effect').select(['identity_hash', 'answer']).where('key', '=', key).executeTakeFirst();
  return row?.identity_hash === hashOf(identity) ? (row.answer as T) : null;
}
