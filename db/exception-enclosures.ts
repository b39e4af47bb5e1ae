import { randomUUID } from 'node:crypto';
import { sql, type Kysely, type Transaction } from 'kysely';
import { type Violation } from '../domain/violation';
import { hashOf } from './hash';
import { type DB } from './types';

/** What comes with the choice of an outcome and is too large for a message: the items that it is for, or corrected facts. */
export interface Enclosure {
  readonly findingIds: readonly string[] | null;
  readonly payload: unknown;
}

const NOTHING: Enclosure = { findingIds: null, payload: null };

/**
 * Keeps it before the message that names the choice, so that neither a run nor its history carries it; again changes nothing. Gives its
 * hash, or null where something else came with the same choice. Corrected facts are hashed with a salt that goes with them, so that nobody finds them
 * by trying (R-382, I-15); what came again after that is as it was.
 */
export async function keepEnclosure(
  db: Kysely<DB>,
  { choiceId, exceptionId, findingIds, payload }: Enclosure & { readonly choiceId: string; readonly exceptionId: string },
): Promise<string | null> {
  const salt = payload === null ? null : randomUUID();
  const ids = findingIds === null ? null : [...new Set(findingIds)].sort();
  await sql`
    insert into exception_enclosure (choice_id, exception_id, finding_ids, payload, salt, payload_hash)
    values (${choiceId}, ${exceptionId}, ${ids}::uuid[], ${payload === null ? null : JSON.stringify(payload)}::jsonb, ${salt},
            ${payload === null ? null : saltedHash(salt, payload)})
    on conflict (choice_id) do nothing`.execute(db);
  const kept = await db.selectFrom('exception_enclosure').selectAll().where('choice_id', '=', choiceId).executeTakeFirstOrThrow();
  const { payload_hash: payloadHash, finding_ids: keptIds } = kept;
  const isSame =
    payload === null || kept.payload === null
      ? (payload === null) === (payloadHash === null)
      : saltedHash(kept.salt, payload) === payloadHash;
  return isSame && hashOf(ids) === hashOf(keptIds) ? hashOf([keptIds, payloadHash]) : null;
}

/** What came with a choice, where its message says that something did; refused where it was erased since. */
export async function enclosureOf(trx: Transaction<DB>, choiceId: string, hash: string | undefined): Promise<Enclosure | Violation> {
  if (hash === undefined) return NOTHING;
  const row = await trx.selectFrom('exception_enclosure').selectAll().where('choice_id', '=', choiceId).executeTakeFirstOrThrow();
  if (hashOf([row.finding_ids, row.payload_hash]) !== hash) throw new Error(`what came with ${choiceId} is not what its message names`);
  if (row.payload === null && row.payload_hash !== null) return GONE;
  return { findingIds: row.finding_ids, payload: row.payload };
}

/** Corrected facts came, and were erased before they were applied. */
export const GONE: Violation = { violation: 'InboxEventErased', detail: 'the corrected facts were erased' };

/** Corrected facts that wait for their outcome, with a hash that nobody finds them by; null where none came, and refused where they were erased since. */
export async function correctedFacts(
  db: Kysely<DB>,
  choiceId: string,
): Promise<{ readonly payload: unknown; readonly payloadHash: string } | Violation | null> {
  const row = await db
    .selectFrom('exception_enclosure')
    .select(['payload', 'payload_hash'])
    .where('choice_id', '=', choiceId)
    .executeTakeFirst();
  if (row === undefined || row.payload_hash === null) return null;
  return row.payload === null ? GONE : { payload: row.payload, payloadHash: row.payload_hash };
}

function saltedHash(salt: string | null, payload: unknown): string {
  return hashOf(salt === null ? payload : [salt, payload]);
}

/** The outcome is settled: what was applied stands where it was applied, and what was not is nobody's any more. */
export async function letEnclosureGo(trx: Transaction<DB>, choiceId: string): Promise<void> {
  await trx
    .updateTable('exception_enclosure')
    .set({ payload: null, salt: null })
    .where('choice_id', '=', choiceId)
    .where('payload', 'is not', null)
    .execute();
}

/** What came with choices that were refused, or never arrived, is forgotten after a day, with the answers of their requests. */
export async function forgetEnclosures(db: Kysely<DB>): Promise<void> {
  await sql`
    delete from exception_enclosure as enclosed
     where enclosed_at < now() - interval '1 day'
       and not exists (select from exception_choice as choice where choice.id = enclosed.choice_id)`.execute(db);
}
