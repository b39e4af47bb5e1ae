import { sql, type RawBuilder, type SqlBool } from 'kysely';

/** What a reader may see: the whole group, or what belongs to one of some entities (DESIGN §10). An empty list sees nothing. */
export type EntityScope = { readonly kind: 'group' } | { readonly kind: 'entities'; readonly entityIds: readonly string[] };

/** The scope of the product itself: workers, dispatcher, sealer. */
export const wholeGroup: EntityScope = { kind: 'group' };

/** Condition that the entities of a row (an expression of type text[]) meet the scope; a row without entities is for the group only. */
export function inEntities(scope: EntityScope, entityIds: RawBuilder<unknown>): RawBuilder<SqlBool> {
  return scope.kind === 'group' ? sql<SqlBool>`true` : sql<SqlBool>`coalesce(${entityIds} && ${[...scope.entityIds]}::text[], false)`;
}
