import { type Kysely } from 'kysely';
import { type Scope } from '../../domain/access';
import { type DB } from '../types';
import { openWaits, type OpenWait, type WaitFilter } from '../waits';
import { keyAt, type Page, pageOf, type PageRequest } from './page';

export type WaitRow = OpenWait & { readonly workflowId: string };

/**
 * Open waits of the reader's entities by due moment. One page is cut from all of them: what waits at one moment is bounded by the runs
 * that are open, and the place of the page is the number of waits before it.
 */
export async function listWaits(
  db: Kysely<DB>,
  scope: Scope,
  filter: { readonly role?: string | undefined; readonly dealId?: string | undefined },
  page: PageRequest,
): Promise<Page<WaitRow>> {
  const wanted: WaitFilter = {
    scope,
    ...(filter.role === undefined ? {} : { roles: [filter.role] }),
    ...(filter.dealId === undefined ? {} : { dealId: filter.dealId }),
  };
  const all = await openWaits(db, wanted);
  const start = page.after === null ? 0 : Number(keyAt(page, 0));
  const rows = all.slice(start, start + page.limit + 1);
  return pageOf(
    rows,
    page,
    () => [String(start + page.limit)],
    (row) => row,
  );
}
