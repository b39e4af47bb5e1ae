import { sql, type Kysely } from 'kysely';
import { type Scope } from '../../domain/access';
import { inEntities } from '../entity-scope';
import { type BatchKind, type BatchRow, type BatchState, type RowError } from '../intake-batches';
import { type DB } from '../types';
import { keyAt, type Page, pageOf, type PageRequest } from './page';

export interface BatchView {
  readonly id: string;
  readonly dealId: string;
  readonly kind: BatchKind;
  readonly state: BatchState;
  readonly mediaType: string;
  readonly digest: string | null;
  readonly inboxEventId: string | null;
  readonly rows: number;
  readonly stored: number;
  readonly unchanged: number;
  readonly refused: number;
  readonly blocks: number;
  readonly blocksApplied: number;
  readonly receivedBy: string;
  readonly receivedAt: string | null;
  readonly appliedAt: string | null;
}

/** A file by its id, where the reader may see files of its kind for the entities of its deal: a scope per kind, null for nowhere. */
export async function readBatch(db: Kysely<DB>, scopeOf: (kind: BatchKind) => Scope | null, id: string): Promise<BatchView | undefined> {
  const row = (await db.selectFrom('intake_batch').selectAll().where('id', '=', id).executeTakeFirst()) as BatchRow | undefined;
  const scope = row === undefined ? null : scopeOf(row.kind);
  if (row === undefined || scope === null) return undefined;
  const deal = await db
    .selectFrom('deal')
    .select('id')
    .where('id', '=', row.deal_id)
    .where(inEntities(scope, sql.ref('deal.entity_ids')))
    .executeTakeFirst();
  return deal === undefined ? undefined : batchView(row);
}

/** What was wrong with the rows of a file, in their order. */
export async function listRowErrors(db: Kysely<DB>, batchId: string, page: PageRequest): Promise<Page<RowError>> {
  let query = db.selectFrom('intake_row_error').selectAll().where('batch_id', '=', batchId);
  if (page.after) query = query.where((eb) => eb(eb.refTuple('line', 'field'), '>', eb.tuple(Number(keyAt(page, 0)), keyAt(page, 1))));
  const rows = await query
    .orderBy('line')
    .orderBy('field')
    .limit(page.limit + 1)
    .execute();
  return pageOf(
    rows,
    page,
    (row) => [String(row.line), row.field],
    ({ line, field, code, detail, cell }) => ({ line, field, code, detail, cell }),
  );
}

function batchView(row: BatchRow): BatchView {
  return {
    id: row.id,
    dealId: row.deal_id,
    kind: row.kind,
    state: row.state,
    mediaType: row.media_type,
    digest: row.digest,
    inboxEventId: row.inbox_event_id,
    rows: row.row_count,
    stored: row.stored,
    unchanged: row.unchanged,
    refused: row.refused,
    blocks: row.blocks,
    blocksApplied: row.blocks_applied,
    receivedBy: row.received_by,
    receivedAt: row.received_at,
    appliedAt: row.applied_at,
  };
}
