import { sql, type Kysely, type Transaction } from 'kysely';
import { type Instant } from '../domain/deal/terms';
import { appendAudit } from './audit';
import { type DB } from './types';

/** Which texts: by id, of one author, or about one subject (`approval/<id>`, `invoice/<id>`, `deal/<id>` …). */
export type TextChoice = { readonly ids: readonly string[] } | { readonly author: string } | { readonly subject: string };

/**
 * Erases texts for good, here and in stored answers of the API, and answers the ids of those that had words left; the erasure is on record
 * without them. What refers to a text keeps its id, and every audit chain stays valid (I-15).
 */
export async function eraseTexts(
  db: Kysely<DB>,
  choice: TextChoice,
  by: { readonly actor: string; readonly at: Instant },
): Promise<string[]> {
  return db.transaction().execute((trx) => eraseTextsIn(trx, choice, by));
}

/** The same in the transaction of the caller. */
export async function eraseTextsIn(
  trx: Transaction<DB>,
  choice: TextChoice,
  by: { readonly actor: string; readonly at: Instant },
): Promise<string[]> {
  const chosen = await chosenTexts(trx, choice);
  for (const { body } of chosen) {
    // As it stands in the JSON of an answer, quoted and escaped. Who repeats such a request is answered anew, by the facts.
    await sql`delete from idempotency_key where strpos(body::text, to_jsonb(${body}::text)::text) > 0`.execute(trx);
  }
  const ids = chosen.map(({ id }) => id).sort();
  if (ids.length === 0) return ids;
  await trx
    .updateTable('free_text')
    .set({ body: null, salt: null, erased_at: by.at })
    .where('id', '=', sql<string>`any(${ids}::uuid[])`)
    .execute();
  await appendAudit(trx, { stream: 'free-texts', action: 'texts.erased', subject: 'free-texts', details: { ids }, ...by });
  return ids;
}

function chosenTexts(trx: Transaction<DB>, choice: TextChoice) {
  const query = trx.selectFrom('free_text').select(['id', 'body']).where('body', 'is not', null).forUpdate();
  if ('ids' in choice) return query.where('id', '=', sql<string>`any(${[...choice.ids]}::uuid[])`).execute();
  return 'author' in choice ? query.where('author', '=', choice.author).execute() : query.where('subject', '=', choice.subject).execute();
}
