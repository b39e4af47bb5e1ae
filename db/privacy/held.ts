import { sql, type RawBuilder } from 'kysely';
import { dealOf } from './places';

/** Whoever has this id is held, as a user or as a worker, in person or with an entity. */
export const isHeld = (id: RawBuilder<unknown>) => sql`exists (select from held_person as held where held.subject_id = ${id})`;

export const dealIsHeld = (deal: RawBuilder<unknown>) => sql`exists (select from held_deal as held where held.deal_id = ${deal})`;

/** Whoever is held may stand in a text by id or by name; what only looks so is kept as well. */
export const namesSomebodyHeld = (text: RawBuilder<unknown>) => sql`exists (
  select from held_person as held left join app_user as u on u.id = held.subject_id left join person as p on p.id = held.subject_id
   cross join lateral unnest(array[held.subject_id, u.name, u.email, p.name, p.email]) as any_of (word)
   where any_of.word <> '' and strpos(lower(${text}), lower(any_of.word)) > 0)`;

/** Words (alias `t` of `free_text`) of or about whoever is held, about a deal that is held, or why a hold was placed that stands (R-336). */
export const textIsHeld: RawBuilder<boolean> = sql`(
  ${isHeld(sql`t.author`)} or ${dealIsHeld(dealOf('subject'))} or ${namesSomebodyHeld(sql`t.body`)}
  or exists (select from legal_hold as hold where hold.reason_id = t.id and hold.released_at is null))`;
