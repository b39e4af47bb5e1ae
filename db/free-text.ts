import { randomBytes } from 'node:crypto';
import { sql, type Kysely, type Transaction } from 'kysely';
import { uuidv7 } from 'uuidv7';
import { type Instant } from '../domain/deal/terms';
import { commitmentOf } from './hash';
import { type DB } from './types';

/** What a text is for. */
export type TextPurpose =
  | 'decision'
  | 'withdrawal'
  | 'cancellation'
  | 'hold'
  | 'dispute'
  | 'resolution'
  | 'correction'
  | 'response'
  | 'change-order'
  | 'policy-change'
  | 'delegation'
  | 'break-glass'
  | 'recusal'
  | 'question'
  | 'answer'
  | 'condition'
  | 'fulfilment'
  | 'waiver'
  | 'legal-hold'
  | 'erasure'
  | 'exception'
  | 'signatory';

/** What somebody wrote in their own words. `subject` is what it is about, `origin` the request that brought it. */
export interface WrittenText {
  readonly author: string;
  readonly subject: string;
  readonly purpose: TextPurpose;
  readonly origin: string;
  readonly body: string;
  readonly at: Instant;
}

/**
 * Keeps a text and answers its id, which is all that payloads, waits and the audit log ever hold of it (ADR 0020, I-15). The same text of
 * the same request is kept once and has one id; other words of the same request have another.
 */
export async function keepText(db: Kysely<DB>, text: WrittenText): Promise<string> {
  const { author, subject, purpose, origin, body, at } = text;
  const salt = randomBytes(16).toString('hex');
  await db
    .insertInto('free_text')
    .values({ id: uuidv7(), author, subject, purpose, origin, body, salt, commitment: commitmentOf(salt, purpose, body), written_at: at })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  const kept = await db
    .selectFrom('free_text')
    .select('id')
    .where('author', '=', author)
    .where('purpose', '=', purpose)
    .where('origin', '=', origin)
    .where(sql<string>`md5(body)`, '=', sql<string>`md5(${body})`)
    .executeTakeFirstOrThrow();
  return kept.id;
}

/** Words by id; null where they were erased. */
export type Words = ReadonlyMap<string, string | null>;

/** The words behind ids; null for those that were erased. For readers with the right to what the text is about. */
export async function textsOf(db: Kysely<DB>, ids: readonly (string | null)[]): Promise<Map<string, string | null>> {
  const wanted = [...new Set(ids.filter((id) => id !== null))];
  if (wanted.length === 0) return new Map();
  const rows = await db.selectFrom('free_text').select(['id', 'body']).where('id', 'in', wanted).execute();
  return new Map(rows.map((row) => [row.id, row.body]));
}

/** What the audit log says of texts: salted commitments, by id. Throws for an id that is none, which is a bug of the caller. */
export async function commitmentsOf(trx: Transaction<DB>, ids: readonly string[]): Promise<Map<string, string>> {
  if (ids.length === 0) return new Map();
  const rows = await trx.selectFrom('free_text').select(['id', 'commitment']).where('id', 'in', ids).execute();
  if (rows.length !== new Set(ids).size) throw new Error('an audit entry names a text that was never kept');
  return new Map(rows.map((row) => [row.id, row.commitment]));
}
