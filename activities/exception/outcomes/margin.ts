import { type Transaction } from 'kysely';
import { type ChoiceRow, type ExceptionRow } from '../../../db/exceptions';
import { type DB } from '../../../db/types';
import { type Instant } from '../../../domain/deal/terms';
import { type Outcome } from './table';

/** What the line is going to earn is what it is held against from now on. */
export const acceptMargin: Outcome = {
  carryOut: async (trx, { row, choice }) => {
    const reading = await lastReading(trx, row);
    if (reading === undefined) throw new Error('an exception of margin without a reading');
    await trx.updateTable('margin_reading').set({ accepted_by: choice.id }).where('id', '=', reading.id).execute();
    return { settles: true, tells: [], details: { readingId: reading.id } };
  },
};

/** The project manager owes a new estimate: it ends the exception, or gives it back to its owner. */
export const replan: Outcome = { carryOut: async () => ({ settles: false, tells: [] }) };

/** Whether the margin was measured since the outcome was carried out, and is still too low. */
export async function isMeasuredSince(trx: Transaction<DB>, row: ExceptionRow, { settled_at: since }: ChoiceRow): Promise<boolean> {
  const reading = row.path === 'margin-erosion' ? await lastReading(trx, row) : undefined;
  return reading !== undefined && since !== null && isAfter(reading.taken_at, since);
}

/** As approvers are shown it; the field has a right of its own. Null where the exception is about something else. */
export async function marginShown(trx: Transaction<DB>, row: ExceptionRow): Promise<Record<string, string> | null> {
  const reading = row.path === 'margin-erosion' ? await lastReading(trx, row) : undefined;
  if (reading === undefined) return null;
  return { asOf: reading.as_of, referencePercent: reading.reference_percent, atCompletionPercent: reading.at_completion_percent };
}

function lastReading(trx: Transaction<DB>, { contract_line_id: lineId }: ExceptionRow) {
  return trx
    .selectFrom('margin_reading')
    .selectAll()
    .where('contract_line_id', '=', lineId)
    .orderBy('taken_at', 'desc')
    .orderBy('id', 'desc')
    .executeTakeFirst();
}

function isAfter(moment: Instant, other: Instant): boolean {
  return Date.parse(moment) > Date.parse(other);
}
