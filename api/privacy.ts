import { sql, type Kysely, type Transaction } from 'kysely';
import { appendAudit } from '../db/audit';
import { asked, type ErasureRow, insertErasure, lockedErasure } from '../db/privacy/erasures';
import { erasureFacts } from '../db/privacy/facts';
import { insertHold, isKnownScope, lockedHold, lockHolds, type NewHold } from '../db/privacy/holds';
import { type HeldPerson, heldPerson, idsOf } from '../db/privacy/person';
import { aboutErasure } from '../db/privacy/run-erasure';
import { type DB } from '../db/types';
import { type Instant } from '../domain/deal/terms';
import { decideErasure, refuseErasure } from '../domain/privacy/erasing';
import { refuseRelease } from '../domain/privacy/hold';
import { isViolation } from '../domain/violation';
import { ApiError, refused } from './errors';

/** Asks that a person be erased, with its audit entry; the one of this id once more changes nothing. */
export function askErasure(
  db: Kysely<DB>,
  { id, person, by, reasonId }: { readonly id: string; readonly person: HeldPerson; readonly by: string; readonly reasonId: string },
  at: Instant,
): Promise<void> {
  return db.transaction().execute(async (trx) => {
    await lockHolds(trx);
    if ((await lockedErasure(trx, id)) !== undefined) return;
    if (by === person.userId) throw new ApiError('ErasureOwnDecision', 'nobody asks for their own erasure here');
    await mustBeErasable(trx, person);
    const open = await openErasure(trx, person);
    if (open !== undefined) throw new ApiError('ErasureOpen', open.id);
    await insertErasure(trx, { id, person, at, by, reasonId });
    const about = aboutErasure({ id, entity_id: person.entityId });
    const what = { action: 'erasure.requested', details: { people: idsOf(person) }, texts: { reason: reasonId } };
    await appendAudit(trx, { ...about, ...what, actor: by, at });
  });
}

/** Grants or refuses an erasure with its audit entry; the same by the same person once more changes nothing. What comes after a grant is `runErasure`. */
export function settleErasure(
  db: Kysely<DB>,
  id: string,
  decision: { readonly by: string; readonly verdict: 'grant' | 'refuse'; readonly reasonId: string | null },
  at: Instant,
): Promise<void> {
  return db.transaction().execute(async (trx) => {
    await lockHolds(trx);
    const row = await lockedErasure(trx, id);
    if (row === undefined) throw new ApiError('ErasureUnknown', id);
    const { by, verdict, reasonId } = decision;
    if (row.decided_by === by && (row.state === 'refused') === (verdict === 'refuse')) return;
    const state = decideErasure(asked(row), decision);
    if (isViolation(state)) throw refused(state);
    if (state === 'granted') await mustBeErasable(trx, await mustBeKnown(trx, row));
    const decided = { state, decided_by: by, decided_at: at, decision_reason_id: reasonId };
    await trx.updateTable('erasure').set(decided).where('id', '=', id).execute();
    await appendAudit(trx, { ...aboutErasure(row), action: `erasure.${state}`, texts: { reason: reasonId }, actor: by, at });
  });
}

/** Places a legal hold with its audit entry; the one of this id once more changes nothing. */
export function placeHold(db: Kysely<DB>, hold: NewHold): Promise<void> {
  return db.transaction().execute(async (trx) => {
    await lockHolds(trx);
    const { id, scope, reasonId, placedBy, placedAt } = hold;
    if ((await lockedHold(trx, id)) !== undefined) return;
    if (!(await isKnownScope(trx, scope))) throw new ApiError(UNKNOWN[scope.kind], scope.id);
    await insertHold(trx, hold);
    const what = { action: 'legal-hold.placed', details: { scope }, texts: { reason: reasonId } };
    await appendAudit(trx, { ...aboutHold(id), ...what, actor: placedBy, at: placedAt });
  });
}

/** Releases a legal hold with its audit entry; the same by the same person once more changes nothing. */
export function releaseHold(
  db: Kysely<DB>,
  { id, by, reasonId }: { readonly id: string; readonly by: string; readonly reasonId: string },
  at: Instant,
): Promise<void> {
  return db.transaction().execute(async (trx) => {
    await lockHolds(trx);
    const row = await lockedHold(trx, id);
    if (row === undefined) throw new ApiError('LegalHoldUnknown', id);
    if (row.released_by === by) return;
    const refusal = refuseRelease({ placedBy: row.placed_by, releasedAt: row.released_at }, by);
    if (refusal !== null) throw refused(refusal);
    const released = { released_by: by, released_at: at, release_reason_id: reasonId };
    await trx.updateTable('legal_hold').set(released).where('id', '=', id).execute();
    const what = {
      action: 'legal-hold.released',
      details: { scope: { kind: row.scope_kind, id: row.scope_id } },
      texts: { reason: reasonId },
    };
    await appendAudit(trx, { ...aboutHold(id), ...what, actor: by, at });
  });
}

const UNKNOWN = { person: 'PersonUnknown', deal: 'DealUnknown', entity: 'EntityUnknown' } as const;

function aboutHold(id: string) {
  return { stream: 'privacy', subject: `legal-hold/${id}` };
}

async function mustBeErasable(trx: Transaction<DB>, person: HeldPerson): Promise<void> {
  const refusal = refuseErasure(await erasureFacts(trx, person));
  if (refusal !== null) throw refused(refusal);
}

async function mustBeKnown(trx: Transaction<DB>, row: ErasureRow): Promise<HeldPerson> {
  const person = await heldPerson(trx, row.user_id ?? row.person_id ?? '');
  if (person === undefined) throw new Error(`erasure ${row.id} is of nobody`);
  return person;
}

function openErasure(trx: Transaction<DB>, person: HeldPerson) {
  return trx
    .selectFrom('erasure')
    .select('id')
    .where(sql<string>`coalesce(user_id, person_id)`, '=', person.userId ?? person.personId)
    .where('state', 'in', ['requested', 'granted'])
    .executeTakeFirst();
}
