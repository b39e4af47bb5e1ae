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

/** How many of each kind were erased by age, or would be; `person`: people who left so long ago that they are erased as a whole. */
export type Swept = Readonly<Record<string, number>>;

/** How many rows one transaction erases. */
const BATCH = 500;

/** Erases what is past its time by the policy in force, batch by batch, each with its audit entry (R-340); nothing where no policy is in force. */
export async function sweep(db: Kysely<DB>, at: Instant, isStopping: () => boolean = () => false): Promise<Swept> {
  const retention = await retentionAt(db, at);
  if (retention === null) return {};
  const swept: Record<string, number> = {};
  for (const each of SWEEPS) {
    for (let more = true; more && !isStopping();) {
      const erased = await sweepBatch(db, each, retention, at);
      swept[each.name] = (swept[each.name] ?? 0) + erased;
      more = erased > 0;
    }
  }
  swept.person = await eraseLeavers(db, retention, at, isStopping);
  return swept;
}

/** The same without erasing anything. Of people who left those are counted whom nothing stands in the way of. */
export async function sweepable(db: Kysely<DB>, at: Instant): Promise<Swept> {
  const retention = await retentionAt(db, at);
  if (retention === null) return {};
  const found: Record<string, number> = {};
  for (const { name, retention: of, due } of SWEEPS) {
    const { rows } = await sql<{ count: number }>`select count(*) as count from (${due(cutoffOf(retention, of, at))}) as due`.execute(db);
    found[name] = Number(rows[0]?.count ?? 0);
  }
  found.person = 0;
  for (const id of await leavers(db, retention, at)) if (await isErasable(db, id)) found.person += 1;
  return found;
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
    const batch = sql`select due.key from (${each.due(cutoffOf(retention, each.retention, at))}) as due limit ${BATCH}`;
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

async function isErasable(db: Kysely<DB>, id: string): Promise<boolean> {
  const person = await heldPerson(db, id);
  return person !== undefined && refuseErasure(await erasureFacts(db, person)) === null;
}
