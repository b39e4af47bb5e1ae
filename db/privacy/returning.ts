import { sql, type Kysely } from 'kysely';
import { type MasterData } from '../../contracts/master-data';
import { type InvalidInput } from '../../domain/violation';
import { type DB } from '../types';

/**
 * Refuses master data that names somebody who was erased, with each place: an id that was erased never means anybody again. The files
 * leave the person out, and whoever comes back gets another id.
 */
export async function refuseErased(db: Kysely<DB>, data: MasterData): Promise<InvalidInput | null> {
  const users = data['users.json'].users.map(({ id }, index) => ({ id, path: `/users.json/users/${index}/id` }));
  // Line 1 is the header, as faults of files name their lines.
  const people = data['people.csv'].map(({ person_id: id }, index) => ({ id, path: `/people.csv/${index + 2}/person_id` }));
  const { rows } = await sql<{ id: string; kind: string }>`
    select id, 'user' as kind from app_user where erased_at is not null and id = any(${users.map(({ id }) => id)}::text[])
     union all
    select id, 'worker' from person where erased_at is not null and id = any(${people.map(({ id }) => id)}::text[])`.execute(db);
  const isErased = (kind: string) => (id: string) => rows.some((row) => row.kind === kind && row.id === id);
  const [erasedUser, erasedWorker] = [isErased('user'), isErased('worker')];
  const places = [...users.filter(({ id }) => erasedUser(id)), ...people.filter(({ id }) => erasedWorker(id))];
  if (places.length === 0) return null;
  const errors = places.map(({ id, path }) => ({ violation: 'PersonErased', detail: `${id} was erased`, path }));
  return { violation: 'PersonErased', detail: places.map(({ id }) => id).join(', '), errors };
}

/**
 * Ids that are new and have the address of somebody who was erased: a person who came back. They are taken, because whoever is hired
 * again is held anew, and the log of the load names them.
 */
export async function returnedPeople(db: Kysely<DB>, data: MasterData): Promise<string[]> {
  const named = [
    ...data['users.json'].users.map(({ id, email }) => ({ id, email })),
    ...data['people.csv'].map(({ person_id: id, email }) => ({ id, email: email ?? '' })),
  ].filter(({ email }) => email !== '');
  const { rows } = await sql<{ id: string }>`
    select distinct told.id
      from unnest(${named.map(({ id }) => id)}::text[], ${named.map(({ email }) => email.toLowerCase())}::text[]) as told (id, email)
      join erased_address as gone on gone.hash = encode(sha256(convert_to(gone.salt || told.email, 'UTF8')), 'hex')
     where not exists (select from app_user where app_user.id = told.id) and not exists (select from person where person.id = told.id)
     order by 1`.execute(db);
  return rows.map(({ id }) => id);
}
