import { sql, type Kysely, type Selectable, type Transaction } from 'kysely';
import { type Instant } from '../domain/deal/terms';
import { type FactKind } from '../domain/notification/facts';
import { type Violation } from '../domain/violation';
import { keyAt, type Page, pageOf, type PageRequest } from './reads/page';
import { type DB } from './types';

export const endpointKinds = ['webhook', 'slack', 'teams'] as const;
export type EndpointKind = (typeof endpointKinds)[number];

/** `origin` is what people are shown of the address. */
export interface NewEndpoint {
  readonly id: string;
  readonly kind: EndpointKind;
  readonly name: string;
  readonly origin: string;
  readonly sealedUrl: string;
  readonly sealedSecret: string | null;
  readonly facts: readonly FactKind[];
  readonly createdBy: string;
}

export interface EndpointView {
  readonly id: string;
  readonly kind: EndpointKind;
  readonly name: string;
  readonly origin: string;
  readonly facts: readonly FactKind[];
  readonly createdBy: string;
  readonly createdAt: string;
  readonly removedAt: string | null;
}

/** False where the id exists already. */
export async function addEndpoint(trx: Transaction<DB>, endpoint: NewEndpoint): Promise<boolean> {
  const added = await trx
    .insertInto('webhook_endpoint')
    .values({
      id: endpoint.id,
      kind: endpoint.kind,
      name: endpoint.name,
      origin: endpoint.origin,
      sealed_url: endpoint.sealedUrl,
      sealed_secret: endpoint.sealedSecret,
      facts: [...endpoint.facts],
      created_by: endpoint.createdBy,
    })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .executeTakeFirst();
  return (added.numInsertedOrUpdatedRows ?? 0n) > 0n;
}

/** Ends an endpoint at once: what waits for it or died on the way is dropped. True where it ended now, false where it had ended before. */
export async function removeEndpoint(trx: Transaction<DB>, id: string, at: Instant): Promise<boolean | Violation> {
  const row = await trx.selectFrom('webhook_endpoint').select('removed_at').where('id', '=', id).forUpdate().executeTakeFirst();
  if (row === undefined) return { violation: 'EndpointUnknown', detail: id };
  if (row.removed_at !== null) return false;
  await trx
    .updateTable('webhook_endpoint')
    .set({ removed_at: sql`now()` })
    .where('id', '=', id)
    .execute();
  const dropped = await trx
    .updateTable('notification')
    .set({ state: 'dropped', settled_at: sql`now()`, lease_owner: null, lease_until: null })
    .where('endpoint_id', '=', id)
    .where('state', 'in', ['waiting', 'dead'])
    .returning('id')
    .execute();
  const runs = dropped.map((each) => `notification/${each.id}`);
  await trx
    .updateTable('process_exception')
    .set({ closed_at: at })
    .where('workflow_id', '=', sql<string>`any(${runs}::text[])`)
    .where('closed_at', 'is', null)
    .execute();
  return true;
}

/** All that there are and were, the last made first. */
export async function listEndpoints(db: Kysely<DB>, page: PageRequest): Promise<Page<EndpointView>> {
  let query = db.selectFrom('webhook_endpoint').selectAll();
  if (page.after) query = query.where(sql<boolean>`(created_at, id) < (${keyAt(page, 0)}::timestamptz, ${keyAt(page, 1)}::uuid)`);
  const rows = await query
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(page.limit + 1)
    .execute();
  return pageOf(rows, page, (row) => [row.created_at, row.id], endpointView);
}

/** Ids and kinds of the endpoints that take a fact. */
export async function endpointsFor(db: Kysely<DB>, kind: FactKind): Promise<{ readonly id: string; readonly kind: EndpointKind }[]> {
  const rows = await db
    .selectFrom('webhook_endpoint')
    .select(['id', 'kind'])
    .where('removed_at', 'is', null)
    .where(sql<boolean>`${kind} = any(facts)`)
    .orderBy('id')
    .execute();
  return rows as { id: string; kind: EndpointKind }[];
}

export async function hasEndpoints(db: Kysely<DB>): Promise<boolean> {
  return (await db.selectFrom('webhook_endpoint').select('id').where('removed_at', 'is', null).limit(1).executeTakeFirst()) !== undefined;
}

function endpointView(row: Selectable<DB['webhook_endpoint']>): EndpointView {
  return {
    id: row.id,
    kind: row.kind as EndpointKind,
    name: row.name,
    origin: row.origin,
    facts: row.facts as FactKind[],
    createdBy: row.created_by,
    createdAt: row.created_at,
    removedAt: row.removed_at,
  };
}
