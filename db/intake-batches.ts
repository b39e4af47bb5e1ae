import { sql, type Kysely, type RawBuilder, type Selectable, type Transaction } from 'kysely';
import { uuidv7 } from 'uuidv7';
import { type Instant } from '../domain/deal/terms';
import { type Violation } from '../domain/violation';
import { putInboxEvent } from './inbox';
import { type DB } from './types';

/** Kinds of facts that come as files; each is a stream of its own per deal. */
export type BatchKind = 'time-entries' | 'expenses' | 'usage-reports' | 'subcontractor-costs';
export type BatchState = 'receiving' | 'received' | 'applied' | 'failed';
export type BatchRow = Omit<Selectable<DB['intake_batch']>, 'kind' | 'state'> & { readonly kind: BatchKind; readonly state: BatchState };

/** Type of the inbox event that refers to a batch. */
export const BATCH_EVENT = 'intake-batch';

export interface NewBatch {
  readonly dealId: string;
  readonly kind: BatchKind;
  readonly mediaType: string;
  readonly receivedBy: string;
}

/** What is wrong with a row; several at one place of one row are one. */
export interface RowError {
  readonly line: number;
  readonly field: string;
  readonly code: string;
  readonly detail: string;
  readonly cell: string | null;
}

/** Rows of one block as JSON, and what was wrong with others between them. */
export interface NewBlock {
  readonly content: string;
  readonly rows: number;
  readonly passes: number;
  readonly faults: readonly RowError[];
  readonly refused: number;
  /** It is applied after the blocks that are not late. */
  readonly isLate: boolean;
}

/** A file whose sender went away is forgotten after so long. */
const ABANDONED_AFTER = '1 hour';

/** Opens a batch that blocks are put into while its file comes in; files that never came to their end are forgotten. */
export async function beginBatch(db: Kysely<DB>, batch: NewBatch): Promise<string> {
  await sql`delete from intake_batch where state = 'receiving' and begun_at < now() - ${ABANDONED_AFTER}::interval`.execute(db);
  const id = uuidv7();
  await db
    .insertInto('intake_batch')
    .values({ id, deal_id: batch.dealId, kind: batch.kind, media_type: batch.mediaType, state: 'receiving', received_by: batch.receivedBy })
    .execute();
  return id;
}

/** Stages one block with its own commit; blocks count from 1, late ones down from -1 until their file is in. A block without good rows is none. */
export async function addBlock(db: Kysely<DB>, batchId: string, number: number, block: NewBlock): Promise<void> {
  await db.transaction().execute(async (trx) => {
    if (block.rows > 0)
      await sql`insert into intake_block (batch_id, block, row_count, passes, content)
        values (${batchId}, ${number}, ${block.rows}, ${block.passes}, ${block.content}::json)`.execute(trx);
    await addRowErrors(trx, batchId, block.faults);
    await sql`update intake_batch set row_count = row_count + ${block.rows + block.refused}, refused = refused + ${block.refused},
        blocks = blocks + ${block.rows > 0 ? 1 : 0} where id = ${batchId}`.execute(trx);
  });
}

export async function addRowErrors(trx: Transaction<DB>, batchId: string, errors: readonly RowError[]): Promise<void> {
  if (errors.length === 0) return;
  await sql`
    insert into intake_row_error (batch_id, line, field, code, detail, cell)
    select ${batchId}, * from unnest(${errors.map((each) => each.line)}::integer[], ${errors.map((each) => each.field)}::text[],
      ${errors.map((each) => each.code)}::text[], ${errors.map((each) => each.detail)}::text[], ${errors.map((each) => each.cell)}::text[])
    on conflict (batch_id, line, field) do nothing`.execute(trx);
}

export interface ReceivedBatch {
  readonly batchId: string;
  readonly inboxEventId: string;
}

/**
 * Ends a batch whose file is in: it becomes one event of the inbox, which its stream applies. The same file again is the batch that it was,
 * unless that one refused rows, which may be right by now; the rows of this upload are then forgotten (I-01). The key of a request
 * stands for one file: another file under it is `IdempotencyKeyReused`.
 */
export async function completeBatch(
  db: Kysely<DB>,
  batchId: string,
  file: { readonly digest: string; readonly requestKey: string | null; readonly stream: string; readonly at: Instant },
): Promise<ReceivedBatch | Violation> {
  return db.transaction().execute(async (trx) => {
    const batch = await trx.selectFrom('intake_batch').selectAll().where('id', '=', batchId).executeTakeFirstOrThrow();
    await placeLateBlocks(trx, batchId);
    if (file.requestKey !== null) await lockName(trx, `intake key ${batch.received_by} ${file.requestKey}`);
    await lockName(trx, `intake file ${batch.deal_id} ${batch.kind} ${file.digest}`);
    const known = await knownBatch(trx, batch, file);
    if (known !== null) {
      await trx.deleteFrom('intake_batch').where('id', '=', batchId).execute();
      return known;
    }
    const { row: event } = await putInboxEvent(trx, {
      source: 'api',
      eventId: `${BATCH_EVENT}/${batchId}`,
      type: BATCH_EVENT,
      subject: file.stream,
      sourceOrder: String(Date.now()),
      occurredAt: file.at,
      businessReceivedAt: file.at,
      payload: { batchId, dealId: batch.deal_id, by: batch.received_by },
    });
    await trx
      .updateTable('intake_batch')
      .set({ state: 'received', digest: file.digest, request_key: file.requestKey, inbox_event_id: event.id, received_at: file.at })
      .where('id', '=', batchId)
      .execute();
    return { batchId, inboxEventId: event.id };
  });
}

/** How many blocks are not late is known once the file is in: the late ones follow them. */
async function placeLateBlocks(trx: Transaction<DB>, batchId: string): Promise<void> {
  await sql`
    update intake_block set block = (select count(*) from intake_block as early where early.batch_id = ${batchId} and early.block > 0) - block
     where batch_id = ${batchId} and block < 0`.execute(trx);
}

async function lockName(trx: Transaction<DB>, name: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${name}, 0))`.execute(trx);
}

type Known = ReceivedBatch | Violation | null;

async function knownBatch(
  trx: Transaction<DB>,
  batch: Selectable<DB['intake_batch']>,
  file: { readonly digest: string; readonly requestKey: string | null },
): Promise<Known> {
  const received = trx.selectFrom('intake_batch').selectAll().where('state', '<>', 'receiving');
  if (file.requestKey !== null) {
    const byKey = await received.where('received_by', '=', batch.received_by).where('request_key', '=', file.requestKey).executeTakeFirst();
    if (byKey !== undefined) {
      const same = byKey.digest === file.digest && byKey.deal_id === batch.deal_id && byKey.kind === batch.kind;
      return same
        ? { batchId: byKey.id, inboxEventId: byKey.inbox_event_id ?? '' }
        : { violation: 'IdempotencyKeyReused', detail: 'another file came under this key' };
    }
  }
  const last = await received
    .where('deal_id', '=', batch.deal_id)
    .where('kind', '=', batch.kind)
    .where('digest', '=', file.digest)
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
  const goesOn = last?.state === 'received' || (last?.state === 'applied' && last.refused === 0);
  return last !== undefined && goesOn ? { batchId: last.id, inboxEventId: last.inbox_event_id ?? '' } : null;
}

/** What is left of the file of an event is not taken any more; the same file may come again. */
export async function failBatch(trx: Transaction<DB>, inboxEventId: string): Promise<void> {
  await trx
    .updateTable('intake_batch')
    .set({ state: 'failed' })
    .where('inbox_event_id', '=', inboxEventId)
    .where('state', '=', 'received')
    .execute();
}

/** The file of an event that is handed on again goes on where it stopped. */
export async function resumeBatch(trx: Transaction<DB>, inboxEventId: string): Promise<void> {
  await trx
    .updateTable('intake_batch')
    .set({ state: 'received' })
    .where('inbox_event_id', '=', inboxEventId)
    .where('state', '=', 'failed')
    .execute();
}

/** Forgets a batch whose file was refused or broke off. */
export async function dropBatch(db: Kysely<DB>, batchId: string): Promise<void> {
  await db.deleteFrom('intake_batch').where('id', '=', batchId).where('state', '=', 'receiving').execute();
}

/** The batch of an event, locked: its blocks are applied one after the other. */
export async function lockBatch(trx: Transaction<DB>, batchId: string): Promise<BatchRow> {
  return (await trx.selectFrom('intake_batch').selectAll().where('id', '=', batchId).forUpdate().executeTakeFirstOrThrow()) as BatchRow;
}

/** How many passes a staged block has; a block that is applied is staged no longer. */
export async function passesOf(trx: Transaction<DB>, batchId: string, block: number): Promise<number> {
  const staged = trx.selectFrom('intake_block').select('passes').where('batch_id', '=', batchId).where('block', '=', block);
  return (await staged.executeTakeFirstOrThrow()).passes;
}

/** The rows of a staged block, as an expression of type json. */
export function contentOf(batchId: string, block: number): RawBuilder<unknown> {
  return sql`(select content from intake_block where batch_id = ${batchId} and block = ${block})`;
}

/** A block is applied: its rows are facts now, or named as refused, and are staged no longer. */
export async function blockApplied(
  trx: Transaction<DB>,
  batch: { readonly id: string; readonly block: number },
  counts: { readonly stored: number; readonly unchanged: number; readonly refused: number },
): Promise<void> {
  await trx.deleteFrom('intake_block').where('batch_id', '=', batch.id).where('block', '=', batch.block).execute();
  await sql`update intake_batch set stored = stored + ${counts.stored}, unchanged = unchanged + ${counts.unchanged},
      refused = refused + ${counts.refused}, blocks_applied = blocks_applied + 1 where id = ${batch.id}`.execute(trx);
}

export async function batchApplied(trx: Transaction<DB>, batchId: string, at: Instant): Promise<void> {
  await trx.updateTable('intake_batch').set({ state: 'applied', applied_at: at }).where('id', '=', batchId).execute();
}
