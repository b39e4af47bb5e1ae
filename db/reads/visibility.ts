import { sql, type Kysely } from 'kysely';
import { covers, type Scope } from '../../domain/access';
import { type DB } from '../types';

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * True where the thing that a workflow id or audit stream names (`deal/<id>`, `approval/<id>`, `line/<id>`, `invoice/<id>`,
 * `project/<id>`) belongs to an entity of the scope. What belongs to no entity, and what does not exist, is for the whole group only.
 */
export async function isVisible(db: Kysely<DB>, scope: Scope, name: string): Promise<boolean> {
  if (scope.kind === 'group') return true;
  const [kind, id, ...rest] = name.split('/');
  if (kind === undefined || id === undefined || rest.length > 0 || !UUID.test(id)) return false;
  const entityIds = await entitiesOf(db, kind, id);
  return entityIds !== undefined && covers(scope, entityIds);
}

async function entitiesOf(db: Kysely<DB>, kind: string, id: string): Promise<string[] | undefined> {
  const one = (entityId: string | undefined) => (entityId === undefined ? undefined : [entityId]);
  switch (kind) {
    case 'deal':
      return (await db.selectFrom('deal').select('entity_ids').where('id', '=', id).executeTakeFirst())?.entity_ids;
    case 'project':
      return (await db.selectFrom('project').select('entity_ids').where('id', '=', id).executeTakeFirst())?.entity_ids;
    case 'approval':
      return one((await db.selectFrom('approval').select('entity_id').where('id', '=', id).executeTakeFirst())?.entity_id);
    case 'invoice':
      return one((await db.selectFrom('invoice').select('entity_id').where('id', '=', id).executeTakeFirst())?.entity_id);
    case 'line':
      return (
        await db
          .selectFrom('contract_line as line')
          .innerJoin('deal', 'deal.id', 'line.deal_id')
          .select(sql<string[]>`array[line.selling_entity_id, deal.lead_entity_id]`.as('entities'))
          .where('line.id', '=', id)
          .executeTakeFirst()
      )?.entities;
    default:
      return undefined;
  }
}
