import { sql, type Kysely, type RawBuilder } from 'kysely';
import { type Scope } from '../../domain/access';
import { inEntities } from '../entity-scope';
import { type DB } from '../types';

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** By the kind that a name begins with: the rows, and the entities to which one belongs (an expression of type text[]). */
const KINDS: Readonly<Record<Kind, { readonly from: RawBuilder<unknown>; readonly entities: RawBuilder<unknown> }>> = {
  deal: { from: sql`deal as it`, entities: sql`it.entity_ids` },
  project: { from: sql`project as it`, entities: sql`it.entity_ids` },
  approval: { from: sql`approval as it`, entities: sql`array[it.entity_id]` },
  invoice: { from: sql`invoice as it`, entities: sql`array[it.entity_id]` },
  line: {
    from: sql`contract_line as it join deal on deal.id = it.deal_id`,
    entities: sql`array[it.selling_entity_id, deal.lead_entity_id]`,
  },
};

type Kind = 'deal' | 'project' | 'approval' | 'invoice' | 'line';

/** The names of all things of some kinds that belong to an entity of the scope, as a query. */
export function visibleNames(scope: Scope, kinds: readonly Kind[]): RawBuilder<string> {
  const names = kinds.map((kind) => {
    const { from, entities } = KINDS[kind];
    return sql`select ${kind} || '/' || it.id::text from ${from} where ${inEntities(scope, entities)}`;
  });
  return sql`(${sql.join(names, sql` union all `)})`;
}

/**
 * True where the thing that a workflow id or audit stream names (`deal/<id>`, `approval/<id>`, `line/<id>`, `invoice/<id>`,
 * `project/<id>`) belongs to an entity of the scope. What belongs to no entity, and what does not exist, is for the whole group only.
 */
export async function isVisible(db: Kysely<DB>, scope: Scope, name: string): Promise<boolean> {
  if (scope.kind === 'group') return true;
  const [kind = '', id = '', ...rest] = name.split('/');
  const named = Object.hasOwn(KINDS, kind) ? KINDS[kind as Kind] : undefined;
  if (named === undefined || rest.length > 0 || !UUID.test(id)) return false;
  const { rows } = await sql`select 1 from ${named.from} where it.id = ${id}::uuid and ${inEntities(scope, named.entities)}`.execute(db);
  return rows.length > 0;
}
