import { type Kysely } from 'kysely';
import { type DB } from '../types';
import { keyAt, type Page, pageOf, type PageRequest } from './page';

/** Something that cannot go on by itself, and whose task it is. */
export interface ExceptionRow {
  readonly id: string;
  readonly workflowId: string;
  readonly dealId: string | null;
  readonly kind: string;
  readonly detail: string;
  readonly ownerRole: string;
  readonly openedAt: string;
  readonly closedAt: string | null;
}

/** Exceptions of the whole installation, the last opened first. */
export async function listExceptions(db: Kysely<DB>, filter: { readonly open: boolean }, page: PageRequest): Promise<Page<ExceptionRow>> {
  let query = db.selectFrom('process_exception').selectAll();
  if (filter.open) query = query.where('closed_at', 'is', null);
  if (page.after !== null) query = query.where('id', '<', keyAt(page, 0));
  const rows = await query
    .orderBy('id', 'desc')
    .limit(page.limit + 1)
    .execute();
  return pageOf(
    rows,
    page,
    (row) => [row.id],
    (row) => ({
      id: row.id,
      workflowId: row.workflow_id,
      dealId: row.deal_id,
      kind: row.kind,
      detail: row.detail,
      ownerRole: row.owner_role,
      openedAt: row.opened_at,
      closedAt: row.closed_at,
    }),
  );
}
