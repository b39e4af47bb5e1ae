import { sql, type Kysely } from 'kysely';
import { type DB } from '../types';

/** Somebody on whom data is held: a user, a worker, or both. */
export interface HeldPerson {
  readonly userId: string | null;
  readonly personId: string | null;
  /** The entity at which the person is at home. */
  readonly entityId: string | null;
  /** Name and addresses as they stand, for finding them in texts; none once they are erased. */
  readonly words: readonly string[];
  /** Master data names the person, as a user or as a worker. */
  readonly isActive: boolean;
  readonly isErased: boolean;
}

/** Shorter words stand in too many texts to mean somebody. */
const SHORTEST_WORD = 3;

/** Whom an id means: that of a user, else that of a worker; with the other one where the user is that worker. */
export async function heldPerson(db: Kysely<DB>, id: string): Promise<HeldPerson | undefined> {
  const { rows } = await sql<Row>`
    select u.id as user_id, p.id as person_id, coalesce(u.entity_id, p.entity_id, p.managed_by_entity_id) as entity_id,
           coalesce(u.active, false) or (p.id is not null and p.left_at is null) as active,
           case when u.erased_at is null then array[u.name, u.email] else '{}' end
             || case when p.erased_at is null then array[p.name, p.email] else '{}' end as words,
           (u.id is null or u.erased_at is not null) and (p.id is null or p.erased_at is not null) as erased
      from app_user as u full join person as p on p.id = u.person_id
     where ${id} in (u.id, p.id)
     order by (u.id = ${id}) desc nulls last, u.id
     limit 1`.execute(db);
  const [row] = rows;
  if (row === undefined) return undefined;
  const words = row.words.filter((word) => word !== null && word.trim().length >= SHORTEST_WORD) as string[];
  return {
    userId: row.user_id,
    personId: row.person_id,
    entityId: row.entity_id,
    words: [...new Set(words.map((word) => word.trim()))],
    isActive: row.active,
    isErased: row.erased,
  };
}

interface Row {
  readonly user_id: string | null;
  readonly person_id: string | null;
  readonly entity_id: string | null;
  readonly active: boolean;
  readonly words: readonly (string | null)[];
  readonly erased: boolean;
}

/** The ids of a person: of the user and of the worker. */
export function idsOf({ userId, personId }: HeldPerson): string[] {
  return [...new Set([userId, personId].filter((id) => id !== null))];
}
