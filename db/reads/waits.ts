import { sql, type Kysely } from 'kysely';
import { type Scope } from '../../domain/access';
import { type DB } from '../types';
import { selectOpenWaits, waitOfRun, type WaitFilter, type WaitOfRun } from '../waits';
import { keyAt, type Page, pageOf, type PageRequest } from './page';

/** Stands in a cursor for the due moment of waits that have none; they come last. */
export const NEVER_DUE = 'infinity';

/** Open waits of the reader's entities by due moment; what opens or closes meanwhile moves no other row to another page. */
export async function listWaits(
  db: Kysely<DB>,
  scope: Scope,
  filter: { readonly role?: string | undefined; readonly dealId?: string | undefined },
  page: PageRequest,
): Promise<Page<WaitOfRun>> {
  const wanted: WaitFilter = {
    scope,
    ...(filter.role === undefined ? {} : { roles: [filter.role] }),
    ...(filter.dealId === undefined ? {} : { dealId: filter.dealId }),
  };
  let query = selectOpenWaits(db, wanted);
  if (page.after)
    query = query.where(sql<boolean>`(coalesce(w.due, 'infinity'), w.id) > (${keyAt(page, 0)}::timestamptz, ${keyAt(page, 1)}::uuid)`);
  const rows = await query
    .orderBy(sql`coalesce(w.due, 'infinity')`)
    .orderBy('w.id')
    .limit(page.limit + 1)
    .execute();
  return pageOf(rows, page, (row) => [row.due ?? NEVER_DUE, row.id], waitOfRun);
}
