import { sql, type Kysely, type Selectable, type Transaction } from 'kysely';
import { type Instant } from '../../domain/deal/terms';
import { type AskedErasure } from '../../domain/privacy/erasing';
import { type DB } from '../types';
import { type HeldPerson } from './person';

export type ErasureRow = Selectable<DB['erasure']>;

/** A row as the rules know it. */
export function asked(row: ErasureRow): AskedErasure {
  return { state: row.state as AskedErasure['state'], userId: row.user_id, requestedBy: row.requested_by };
}

/** The row, locked until the transaction ends. */
export async function lockedErasure(trx: Transaction<DB>, id: string): Promise<ErasureRow | undefined> {
  return trx.selectFrom('erasure').selectAll().where('id', '=', id).forUpdate().executeTakeFirst();
}

/** The last that was asked for of a person; undefined where none was. */
export async function lastErasure(db: Kysely<DB>, person: HeldPerson): Promise<ErasureRow | undefined> {
  return db
    .selectFrom('erasure')
    .selectAll()
    .where(sql<string>`coalesce(user_id, person_id)`, '=', person.userId ?? person.personId)
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .executeTakeFirst();
}

/** Who asked: a person with reasons, or the retention policy, which needs nobody else. */
export type AskedBy = { readonly by: string; readonly reasonId: string } | { readonly policyVersionId: string };

export async function insertErasure(
  trx: Transaction<DB>,
  { id, person, at, ...askedBy }: AskedBy & { readonly id: string; readonly person: HeldPerson; readonly at: Instant },
): Promise<void> {
  const byPolicy = 'policyVersionId' in askedBy;
  await trx
    .insertInto('erasure')
    .values({
      id,
      user_id: person.userId,
      person_id: person.personId,
      entity_id: person.entityId,
      state: byPolicy ? 'granted' : 'requested',
      requested_by: byPolicy ? null : askedBy.by,
      policy_version_id: byPolicy ? askedBy.policyVersionId : null,
      requested_at: at,
      reason_id: byPolicy ? null : askedBy.reasonId,
      decided_at: byPolicy ? at : null,
    })
    .execute();
}

/** Ids of erasures that were granted and have steps left, the oldest first. */
export async function unfinishedErasures(db: Kysely<DB>): Promise<string[]> {
  const rows = await db.selectFrom('erasure').select('id').where('state', '=', 'granted').orderBy('decided_at').orderBy('id').execute();
  return rows.map(({ id }) => id);
}

/** Steps of an erasure that were done, in their order. */
export async function stepsOf(db: Kysely<DB>, erasureId: string): Promise<Selectable<DB['erasure_step']>[]> {
  return db.selectFrom('erasure_step').selectAll().where('erasure_id', '=', erasureId).orderBy('done_at').orderBy('step').execute();
}
