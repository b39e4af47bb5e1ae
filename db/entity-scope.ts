import { sql, type RawBuilder, type SqlBool } from 'kysely';
import { type Scope } from '../domain/access';

/** The scope of the product itself: workers, dispatcher, sealer. */
export const wholeGroup: Scope = { kind: 'group' };

/** Condition that the entities of a row (an expression of type text[]) meet a scope; a row without entities is for the group only. */
export function inEntities(scope: Scope, entityIds: RawBuilder<unknown>): RawBuilder<SqlBool> {
  return scope.kind === 'group' ? sql<SqlBool>`true` : sql<SqlBool>`coalesce(${entityIds} && ${[...scope.entityIds]}::text[], false)`;
}
