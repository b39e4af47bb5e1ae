import { type RawBuilder, sql } from 'kysely';
import { LIMIT_HOLDER_ROLE } from '../../domain/approval/settle-step';
import { type Directory } from '../../domain/approval/holders';
import { type Electorate } from './candidates';

/**
 * The places of `approval_asked` at which a person may be asked to decide now, or somebody for whom they may act: more than where they are,
 * never less. Of a role: the entities of which they are holders, or which have none; the whole group, to which it may be escalated; and
 * where the first holder of an entity may be left out, because others are asked in their place. And where they owe an answer.
 */
export function placesOf({ people, given, entityIds }: Electorate, userId: string): string[] {
  const acting = delegatorsOf(given, userId);
  const seats = people.committees.filter(({ members }) => members.some((member) => acting.has(member))).map(({ role }) => role);
  const limits = [...acting].some((each) => (people.limits[each] ?? null) !== null) ? [LIMIT_HOLDER_ROLE] : [];
  const held = new Set(people.assignments.filter((each) => acting.has(each.userId)).map(({ role }) => role));
  const everywhere = [...seats, ...limits].flatMap((role) => entityIds.map((entityId) => `${role}/${entityId}`));
  const inEntities = [...held].flatMap((role) =>
    entityIds.map((entityId) => {
      const holders = holdersIn(people, role, entityId);
      const [first] = holders;
      return first === undefined || holders.some((holder) => acting.has(holder)) ? `${role}/${entityId}` : `${role}/${entityId}/${first}`;
    }),
  );
  return [...new Set([...everywhere, ...inEntities, ...held, `requester/${userId}`])];
}

/** A select of the ids of approvals that ask at some of the places, the last opened first, after the keys of one. */
export function askedAt(places: readonly string[], after: readonly string[] | null, limit: number): RawBuilder<string> {
  const later = after === null ? sql`` : sql`and (asked.opened_at, asked.approval_id) < (${after[0]}::timestamptz, ${after[1]}::uuid)`;
  return sql<string>`(
    select approval_id from (
      select distinct found.opened_at, found.approval_id
        from unnest(${[...places]}::text[]) as wanted (place),
             lateral (select opened_at, approval_id from approval_asked as asked
                       where asked.place = wanted.place ${later} order by opened_at desc, approval_id desc limit ${limit}) as found
       order by found.opened_at desc, found.approval_id desc
       limit ${limit}) as first)`;
}

function holdersIn({ assignments }: Directory, role: string, entityId: string): string[] {
  return assignments.filter((each) => each.role === role && each.entityId === entityId).map(({ userId }) => userId);
}

/** The person, and everybody from whom a chain of delegations may lead to them, whatever the role. */
function delegatorsOf(given: Electorate['given'], userId: string): ReadonlySet<string> {
  const found = new Set([userId]);
  for (const person of found) for (const { delegate, delegator } of given) if (delegate === person) found.add(delegator);
  return found;
}
