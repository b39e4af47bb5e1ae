import { sql, type Kysely } from 'kysely';
import { uuidv7 } from 'uuidv7';
import { type Instant } from '../../domain/deal/terms';
import { refuseErasure } from '../../domain/privacy/erasing';
import { appendAudit } from '../audit';
import { type DB } from '../types';
import { SWEEPS, type Sweep } from './due';
import { insertErasure, unfinishedErasures } from './erasures';
import { erasureFacts } from './facts';
import { lockHolds } from './holds';
import { heldPerson, idsOf } from './person';
import { cutoffOf, retentionAt, type RetentionInForce } from './retention';
import { aboutErasure, RETENTION_ACTOR, runErasure } from './run-erasure';

/** How many of each kind; `person`: people who left so long ago that they are erased as a whole. */
export type Counts = Readonly<Record<string, number>>;

/** What was erased by age, or would be, and what is past its time and kept by a legal hold (R-336). */
export interface Swept {
  readonly erased: Counts;
  readonly held: Counts;
}

const NOTHING: Swept = { erased: {}, held: {} };

/** How many rows one transaction erases. */
const BATCH = 500;

/** Erases what is past its time by the policy in force, batch by batch, each with its audit entry (R-340); nothing where no policy is in force. */
export async function sweep(db: Kysely<DB>, at: Instant, isStopping: () => boolean = () => false): Promise<Swept> {
  const retention = await retentionAt(db, at);
  if (retention === null) return NOTHING;
  const erased: Record<string, number> = {};
  for (const each of SWEEPS) {
    for (let more = true; more && !isStopping();) {
      const batch = await sweepBatch(db, each, retention, at);
      erased[each.name] = (erased[each.name] ?? 0) + batch;
      more = batch > 0;
    }
  }
  erased.person = await eraseLeavers(db, retention, at, isStopping);
  return { erased, held: isStopping() ? {} : (await counted(db, retention, at)).held };
}

/** The same without erasing anything. Of people who left those are counted whom nothing stands in the way of, or only a hold. */
export async function sweepable(db: Kysely<DB>, at: Instant): Promise<Swept> {
  const retention = await retentionAt(db, at);
  return retention === null ? NOTHING : counted(db, retention, at);
}

async function counted(db: Kysely<DB>, retention: RetentionInForce, at: Instant): Promise<Swept> {
  const erased: Record<string, number> = {};
  const held: Record<string, number> = {};
  for (const { name, retention: of, due } of SWEEPS) {
    const { rows } = await sql<{ due: number; held: number }>`
      select count(*) filter (where not due.held) as due, count(*) filter (where due.held) as held
        from (${due(cutoffOf(retention, of, at))}) as due`.execute(db);
    erased[name] = Number(rows[0]?.due ?? 0);
    held[name] = Number(rows[0]?.held ?? 0);
  }
  const people: Awaited<ReturnType<typeof obstacleOf>>[] = [];
  // One after the other: there may be hundreds whom a hold keeps, and each takes several queries.
  for (const id of await leavers(db, retention, at)) people.push(await obstacleOf(db, id));
  erased.person = people.filter((each) => each === null).length;
  held.person = people.filter((each) => each === 'LegalHoldInForce').length;
  return { erased, held };
}

/** Goes on with erasures that were granted and not finished: after a crash, or after the hold that stopped them was released. */
export async function resumeErasures(db: Kysely<DB>, at: Instant, isStopping: () => boolean = () => false): Promise<number> {
  let finished = 0;
  for (const id of await unfinishedErasures(db)) {
    if (isStopping()) break;
    if ((await runErasure(db, id, at)).kind === 'done') finished += 1;
  }
  return finished;
}

async function sweepBatch(db: Kysely<DB>, each: Sweep, retention: RetentionInForce, at: Instant): Promise<number> {
  return db.transaction().execute(async (trx) => {
    await lockHolds(trx);
    const batch = sql`select due.key from (${each.due(cutoffOf(retention, each.retention, at))}) as due where not due.held limit ${BATCH}`;
    const erased = await each.erase(trx, batch, at);
    if (erased === 0) return 0;
    const details = { class: each.retention, erased, policyVersionId: retention.policyVersionId };
    const subject = `retention/${each.name}`;
    await appendAudit(trx, { stream: 'privacy', action: 'retention.swept', subject, actor: RETENTION_ACTOR, at, details });
    return erased;
  });
}

/** People whom master data has not named for so long; by the id of the user, else of the worker. */
async function leavers(db: Kysely<DB>, retention: RetentionInForce, at: Instant): Promise<string[]> {
  const before = cutoffOf(retention, 'identity', at);
  const { rows } = await sql<{ id: string }>`
    select coalesce(u.id, p.id) as id
      from app_user as u full join person as p on p.id = u.person_id
     where greatest(u.left_at, p.left_at) < ${before(sql`coalesce(u.entity_id, p.entity_id)`)}
       and coalesce(u.erased_at, p.erased_at) is null and not coalesce(u.active, false) and (p.id is null or p.left_at is not null)
     order by 1`.execute(db);
  return rows.map(({ id }) => id);
}

async function eraseLeavers(db: Kysely<DB>, retention: RetentionInForce, at: Instant, isStopping: () => boolean): Promise<number> {
  let erased = 0;
  for (const id of await leavers(db, retention, at)) {
    if (isStopping()) break;
    const erasureId = await openByPolicy(db, id, retention, at);
    if (erasureId !== null && (await runErasure(db, erasureId, at)).kind === 'done') erased += 1;
  }
  return erased;
}

/** Null where something stands in the way, or somebody has asked for it already. */
async function openByPolicy(db: Kysely<DB>, subject: string, { policyVersionId }: RetentionInForce, at: Instant): Promise<string | null> {
  return db.transaction().execute(async (trx) => {
    await lockHolds(trx);
    const person = await heldPerson(trx, subject);
    if (person === undefined || refuseErasure(await erasureFacts(trx, person)) !== null) return null;
    const isAsked = trx.selectFrom('erasure').select('id').where('state', 'in', ['requested', 'granted']);
    const open = await isAsked.where(sql<string>`coalesce(user_id, person_id)`, '=', person.userId ?? person.personId).executeTakeFirst();
    if (open !== undefined) return null;
    const id = uuidv7();
    await insertErasure(trx, { id, person, at, policyVersionId });
    const about = aboutErasure({ id, entity_id: person.entityId });
    await appendAudit(trx, {
      ...about,
      action: 'erasure.due',
      actor: RETENTION_ACTOR,
      at,
      details: { people: idsOf(person), policyVersionId },
    });
    return id;
  });
}

/** The code of what stands in the way of erasing somebody; null where nothing does. */
async function obstacleOf(db: Kysely<DB>, id: string): Promise<string | null> {
  const person = await heldPerson(db, id);
  if (person === undefined) return 'PersonUnknown';
  return refuseErasure(await erasureFacts(db, person))?.violation ?? null;
}
