import { sql, type RawBuilder, type SqlBool } from 'kysely';
import { type Scope } from '../../domain/access';
import { inEntities } from '../entity-scope';

/*
 * A deal is known to every entity that takes part in it; what it says of a line is for the readers of the line's selling entity, and of
 * the entity that leads the deal, which sees all of it (ADR 0019, R-094).
 */

/** Condition that a line is in scope, by its selling entity and the lead entity of its deal (expressions of type text). */
export function lineInScope(scope: Scope, sellingEntity: RawBuilder<unknown>, leadEntity: RawBuilder<unknown>): RawBuilder<SqlBool> {
  return inEntities(scope, sql`array[${sellingEntity}, ${leadEntity}]::text[]`);
}

/** Terms of a deal (a jsonb column of `deal`) with those of its lines that are in scope. */
export function termsInScope(scope: Scope, terms: RawBuilder<unknown>): RawBuilder<unknown> {
  const inScope = lineInScope(scope, sql`line ->> 'sellingEntityId'`, sql`deal.lead_entity_id`);
  return sql`jsonb_set(${terms}, '{lines}', coalesce((
    select jsonb_agg(line order by place) from jsonb_array_elements(${terms} -> 'lines') with ordinality as items (line, place)
     where ${inScope}), '[]'))`;
}

/** Discrepancies of a proposal (`sow_proposal` beside `deal`): those of the deal as a whole, and those of lines in scope. */
export function discrepanciesInScope(scope: Scope): RawBuilder<unknown> {
  const inScope = lineInScope(scope, sql`line ->> 'sellingEntityId'`, sql`deal.lead_entity_id`);
  return sql`coalesce((
    select jsonb_agg(found order by place) from jsonb_array_elements(sow_proposal.discrepancies) with ordinality as items (found, place)
     where split_part(found ->> 'path', '.', 1) <> 'lines' or exists (
       select from jsonb_array_elements(deal.terms -> 'lines') as line
        where line ->> 'lineId' = split_part(found ->> 'path', '.', 2) and ${inScope})), '[]')`;
}
