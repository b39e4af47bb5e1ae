import { type Kysely } from 'kysely';
import { uuidv7 } from 'uuidv7';
import { readAuditStream } from '../../db/audit-read';
import { wholeGroup } from '../../db/entity-scope';
import { keepText } from '../../db/free-text';
import { type DB } from '../../db/types';

/** The id of words that somebody wrote, as the API keeps them before it sends a message. */
export function reasonOf(db: Kysely<DB>, body: string, author = 'U-PMO'): Promise<string> {
  return keepText(db, { author, subject: 'test', purpose: 'decision', origin: uuidv7(), body, at: '2026-01-05T08:00:00.000Z' });
}

/** A page of an audit stream as somebody of the whole group reads it. */
export async function auditOf(db: Kysely<DB>, stream: string, page = { after: 0, limit: 100 }) {
  return readAuditStream(db, stream, { scope: wholeGroup, amounts: wholeGroup, texts: wholeGroup }, page);
}
