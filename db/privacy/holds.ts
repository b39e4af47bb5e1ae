import { sql, type Kysely, type Selectable, type Transaction } from 'kysely';
import { REGISTER } from '../../domain/privacy/register';
import { type DB } from '../types';
import { linkedTo } from './links';
import { type HeldPerson, idsOf } from './person';
import { dealOf } from './places';

/** What erases and what places a hold wait for one another, so that nothing is erased beside a hold that is being placed. */
export async function lockHolds(trx: Transaction<DB>): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended('legal-holds', 0))`.execute(trx);
}

/**
 * Ids of the holds that stand over a person: on the person, on the entity at home, or on a deal that has data of the person, itself or by
 * its entity. Sorted.
 */
export async function holdsOver(db: Kysely<DB>, person: HeldPerson): Promise<string[]> {
  const own = await db
    .selectFrom('held_person')
    .select('hold_id')
    .where('subject_id', '=', sql<string>`any(${idsOf(person)}::text[])`)
    .execute();
  const deals = await db.selectFrom('held_deal').select(['deal_id', 'hold_id']).execute();
  const concerned = deals.length === 0 ? new Set<string>() : await dealsWithDataOf(db, person);
  const found = [...own, ...deals.filter(({ deal_id: dealId }) => concerned.has(dealId ?? ''))];
  return [...new Set(found.map(({ hold_id: id }) => id ?? ''))].sort();
}

/** Of the deals under a hold those that have data of the person. */
async function dealsWithDataOf(db: Kysely<DB>, person: HeldPerson): Promise<Set<string>> {
  const concerned = new Set<string>();
  for (const entry of REGISTER) {
    const isLinked = linkedTo(entry, person);
    if (entry.deal === undefined || isLinked === null) continue;
    const { rows } = await sql<{ id: string }>`
      select distinct held.deal_id as id from ${sql.table(entry.table)} as t join held_deal as held on held.deal_id = ${dealOf(entry.deal)}
       where ${isLinked}`.execute(db);
    for (const { id } of rows) concerned.add(id);
  }
  return concerned;
}

export type HoldRow = Selectable<DB['legal_hold']>;

/** The row, locked until the transaction ends. */
export async function lockedHold(trx: Transaction<DB>, id: string): Promise<HoldRow | undefined> {
  return trx.selectFrom('legal_hold').selectAll().where('id', '=', id).forUpdate().executeTakeFirst();
}

export interface NewHold {
  readonly id: string;
  readonly scope: { readonly kind: 'person' | 'deal' | 'entity'; readonly id: string };
  readonly reasonId: string;
  readonly placedBy: string;
  readonly placedAt: string;
}

export async function insertHold(trx: Transaction<DB>, { id, scope, reasonId, placedBy, placedAt }: NewHold): Promise<void> {
  await trx
    .insertInto('legal_hold')
    .values({ id, scope_kind: scope.kind, scope_id: scope.id, reason_id: reasonId, placed_by: placedBy, placed_at: placedAt })
    .execute();
}

/** True where the thing to be held is known; people also by the id of a worker. */
export async function isKnownScope(db: Kysely<DB>, { kind, id }: NewHold['scope']): Promise<boolean> {
  const known = {
    person: sql`select from app_user where id = ${id} union all select from person where id = ${id}`,
    deal: sql`select from deal where id::text = ${id}`,
    entity: sql`select from legal_entity where id = ${id}`,
  };
  const { rows } = await sql<{ known: boolean }>`select exists (${known[kind]}) as known`.execute(db);
  return rows[0]?.known === true;
}
