import { sql, type Kysely, type Transaction } from 'kysely';
import { type Instant } from '../../domain/deal/terms';
import { type Entry, nameOf } from '../../domain/privacy/entry';
import { REGISTER } from '../../domain/privacy/register';
import { appendAudit } from '../audit';
import { type DB } from '../types';
import { erase } from './effects';
import { type ErasureRow, lockedErasure } from './erasures';
import { holdsOver, lockHolds } from './holds';
import { heldPerson } from './person';

/** How an erasure stands: done, stopped by holds, or with a step left. */
export type ErasureProgress = { readonly kind: 'done' | 'more' } | { readonly kind: 'held'; readonly holds: readonly string[] };

/** A look at the whole inbox or log of a large installation takes longer than a usual statement. */
const STEP_TIMEOUT = '300s';

/**
 * Does the next step of a granted erasure: one entry of the register, in one transaction with its row and its audit entry, which holds counts
 * only. After a crash it goes on with the step that was not written down; a step that was is not done again. A hold that came
 * meanwhile stops it before the next step.
 */
export async function nextStep(db: Kysely<DB>, erasureId: string, at: Instant): Promise<ErasureProgress> {
  return db.transaction().execute(async (trx) => {
    await sql`select set_config('statement_timeout', ${STEP_TIMEOUT}, true)`.execute(trx);
    await lockHolds(trx);
    const row = await lockedErasure(trx, erasureId);
    if (row?.state !== 'granted') return { kind: 'done' };
    const person = await heldPerson(trx, row.user_id ?? row.person_id ?? '');
    if (person === undefined) throw new Error(`erasure ${erasureId} is of nobody`);
    const holds = await holdsOver(trx, person);
    if (holds.length > 0) return { kind: 'held', holds };
    const done = await trx.selectFrom('erasure_step').select('step').where('erasure_id', '=', erasureId).execute();
    const left = REGISTER.filter((entry) => !done.some(({ step }) => step === nameOf(entry)));
    const [entry] = left;
    const actor = row.decided_by ?? RETENTION_ACTOR;
    if (entry !== undefined) await record(trx, row, entry, await erase(trx, entry, { erasureId, person, at, actor }), { actor, at });
    if (left.length > 1) return { kind: 'more' };
    await finish(trx, row, { actor, at });
    return { kind: 'done' };
  });
}

/** Goes on until nothing is left, a hold stops it, or the time is over. */
export async function runErasure(
  db: Kysely<DB>,
  erasureId: string,
  at: Instant,
  patienceMs = Number.POSITIVE_INFINITY,
): Promise<ErasureProgress> {
  const deadline = Date.now() + patienceMs;
  for (;;) {
    const progress = await nextStep(db, erasureId, at);
    if (progress.kind !== 'more' || Date.now() > deadline) return progress;
  }
}

/** Who acts where the policy asked. */
export const RETENTION_ACTOR = 'retention';

type By = { readonly actor: string; readonly at: Instant };

async function record(
  trx: Transaction<DB>,
  row: ErasureRow,
  entry: Entry,
  result: Awaited<ReturnType<typeof erase>>,
  by: By,
): Promise<void> {
  const { erased, kept, whyKept } = result;
  const step = nameOf(entry);
  const values = { erasure_id: row.id, step, kind: entry.kind, erased, kept, why_kept: whyKept, done_at: by.at };
  await trx.insertInto('erasure_step').values(values).execute();
  if (erased === 0) return;
  await appendAudit(trx, {
    ...aboutErasure(row),
    action: 'erasure.step',
    details: { step, kind: entry.kind, erased, kept, whyKept },
    ...by,
  });
}

async function finish(trx: Transaction<DB>, row: ErasureRow, by: By): Promise<void> {
  await trx.updateTable('erasure').set({ state: 'done', finished_at: by.at }).where('id', '=', row.id).execute();
  const sums = trx.selectFrom('erasure_step').where('erasure_id', '=', row.id);
  const { erased, kept } = await sums
    .select((eb) => [eb.fn.sum<number>('erased').as('erased'), eb.fn.sum<number>('kept').as('kept')])
    .executeTakeFirstOrThrow();
  await appendAudit(trx, { ...aboutErasure(row), action: 'erasure.done', details: { erased: Number(erased), kept: Number(kept) }, ...by });
}

/** Stream, subject and entity of what the log says of an erasure: ids alone. */
export function aboutErasure({ id, entity_id: entityId }: Pick<ErasureRow, 'id' | 'entity_id'>) {
  return { stream: 'privacy', subject: `erasure/${id}`, ...(entityId === null ? {} : { entityId }) };
}
