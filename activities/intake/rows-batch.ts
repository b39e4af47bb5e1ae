import { type Transaction } from 'kysely';
import { z } from 'zod';
import {
  addRowErrors,
  batchApplied,
  blockApplied,
  contentOf,
  lockBatch,
  passesOf,
  type BatchKind,
  type BatchRow,
} from '../../db/intake-batches';
import { type DB } from '../../db/types';
import { applySubcontractorCosts } from '../procurement/costs';
import { reviewExpensesThatCame } from '../policy/expense-review';
import { EXPENSE } from './expenses';
import { type Applied, type IntakeEvent } from './intake';
import { applyRows, type AppliedRows, type RowsOfDeal } from './rows';
import { TIME, whoLooksAgainAtTime } from './time';
import { applyUsageRows } from './usage';
import { whoLooksAgain } from './who-looks';

const payloadSchema = z.object({ batchId: z.uuid(), by: z.string() });

/**
 * A file of facts that was received: with one block it is applied at once, with more the blocks follow, each an effect of its own, so
 * that a crash costs at most one block of work and no row. After the last block, whom the facts concern looks again: one more effect.
 */
export async function openBatch(trx: Transaction<DB>, event: IntakeEvent): Promise<Applied> {
  const { batchId } = payloadSchema.parse(event.payload);
  const batch = await lockBatch(trx, batchId);
  if (batch.blocks > 1)
    return { ...nobodyLooks(batch), action: `${batch.kind}.opened`, details: { batchId, rows: batch.row_count }, blocks: batch.blocks + 1 };
  const applied =
    batch.blocks === 1 ? await applyBatchBlock(trx, event, 1) : await allApplied(trx, event, batch, { refused: batch.refused });
  return { ...applied, ...(await whoLooks(trx, batch, event.at)) };
}

/** One block of a file; with the last one the file is applied. The block after it are those who look again. */
export async function applyBatchBlock(trx: Transaction<DB>, event: IntakeEvent, block: number): Promise<Applied> {
  const { batchId, by } = payloadSchema.parse(event.payload);
  const batch = await lockBatch(trx, batchId);
  if (block > batch.blocks)
    return { ...nobodyLooks(batch), ...(await whoLooks(trx, batch, event.at)), action: `${batch.kind}.looked-at`, details: { batchId } };
  const rows = { dealId: batch.deal_id, passes: await passesOf(trx, batchId, block), content: contentOf(batchId, block) };
  const applied = await applyKind(trx, batch.kind, rows, event.at, by);
  await addRowErrors(
    trx,
    batchId,
    applied.refusals.map((refusal) => ({ ...refusal, cell: null })),
  );
  const counts = { stored: applied.stored, unchanged: applied.unchanged, refused: applied.refused };
  await blockApplied(trx, { id: batchId, block }, counts);
  if (batch.blocks_applied + 1 === batch.blocks) return allApplied(trx, event, batch, { block, ...counts });
  return { ...nobodyLooks(batch), action: `${batch.kind}.recorded`, details: { batchId, block, ...counts } };
}

function applyKind(trx: Transaction<DB>, kind: BatchKind, rows: RowsOfDeal, at: string, by: string): Promise<AppliedRows> {
  switch (kind) {
    case 'time-entries':
      return applyRows(trx, TIME, rows);
    case 'expenses':
      return applyRows(trx, EXPENSE, rows);
    case 'usage-reports':
      return applyUsageRows(trx, rows, at, by);
    case 'subcontractor-costs':
      return applySubcontractorCosts(trx, rows, at);
  }
}

/** The rows that were refused are told where the event is looked at; which ones they are stands in the batch. */
async function allApplied(trx: Transaction<DB>, event: IntakeEvent, batch: BatchRow, details: Record<string, unknown>): Promise<Applied> {
  await batchApplied(trx, batch.id, event.at);
  const { refused, row_count: rows } = await lockBatch(trx, batch.id);
  return {
    ...nobodyLooks(batch),
    action: `${batch.kind}.recorded`,
    details: { batchId: batch.id, rows, ...details },
    rowErrors: refused === 0 ? [] : [{ violation: 'RowsRefused', detail: `${refused} of ${rows} rows of batch ${batch.id}` }],
  };
}

/** Policy judges what came; then the lines and projects that it concerns look again. */
async function whoLooks(trx: Transaction<DB>, batch: BatchRow, at: string): Promise<Pick<Applied, 'lines' | 'reopened' | 'projects'>> {
  if (batch.kind === 'time-entries') return whoLooksAgainAtTime(trx, batch.deal_id, at);
  // The spend of the lines was measured with their rows: no run waits for it.
  if (batch.kind === 'subcontractor-costs') return { lines: [], projects: [] };
  return whoLooksAgain(trx, batch.deal_id, await reviewExpensesThatCame(trx, batch.deal_id, at), at);
}

function nobodyLooks(batch: BatchRow): Omit<Applied, 'action' | 'details'> {
  return { stream: `deal/${batch.deal_id}`, rowErrors: [], invoices: [], lines: [], deals: [], projects: [] };
}
