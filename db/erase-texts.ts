import { sql, type Kysely, type Transaction } from 'kysely';
import { type Instant } from '../domain/deal/terms';
import { appendAudit } from './audit';
import { textIsHeld } from './privacy/held';
import { lockHolds } from './privacy/holds';
import { type DB } from './types';

/** Which texts: by id, of one author, or about one subject (`approval/<id>`, `invoice/<id>`, `deal/<id>` …). */
export type TextChoice = { readonly ids: readonly string[] } | { readonly author: string } | { readonly subject: string };

/** What became of chosen texts that had words left: ids, sorted. */
export interface ErasedTexts {
  readonly erased: readonly string[];
  /** Kept by a legal hold on whoever wrote or is named in them, or on the deal that they are about. */
  readonly held: readonly string[];
}

/**
 * Erases texts for good, here and in stored answers of the API, but those that a legal hold keeps; the erasure, and what was held back, is on record
 * without words. What refers to a text keeps its id, and every audit chain stays valid (I-15).
 */
export async function eraseTexts(
  db: Kysely<DB>,
  choice: TextChoice,
  by: { readonly actor: string; readonly at: Instant },
): Promise<ErasedTexts> {
  return db.transaction().execute(async (trx) => {
    await lockHolds(trx);
    const chosen = (await chosenTexts(trx, choice)).map(({ id }) => id);
    const { rows } = await sql<{ id: string }>`
      select t.id from free_text as t where t.id = any(${chosen}::uuid[]) and ${textIsHeld} order by 1`.execute(trx);
    const held = rows.map(({ id }) => id);
    const erased = await eraseTextsIn(trx, { ids: chosen.filter((id) => !held.includes(id)) }, by);
    if (held.length > 0)
      await appendAudit(trx, { stream: 'free-texts', action: 'texts.held-back', subject: 'free-texts', details: { ids: held }, ...by });
    return { erased, held };
  });
}

/** The same in the transaction of the caller, who has looked for holds. */
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
