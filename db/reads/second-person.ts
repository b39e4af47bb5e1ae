import { type Kysely } from 'kysely';
import { textsOf, type Words } from '../free-text';
import { type DB } from '../types';

/** A row of what one person asks for and a second person decides on. */
export interface AskedRow {
  readonly reason_id: string | null;
  readonly decided_by: string | null;
  readonly decided_at: string | null;
  readonly decision_reason_id: string | null;
}

/** Why they were asked for, and why they were decided so. */
export function wordsOf(db: Kysely<DB>, rows: readonly Pick<AskedRow, 'reason_id' | 'decision_reason_id'>[]): Promise<Words> {
  return textsOf(
    db,
    rows.flatMap((row) => [row.reason_id, row.decision_reason_id]),
  );
}

/** What is shown of the decision; words that were erased are null. */
export function decisionOf(row: Omit<AskedRow, 'reason_id'>, words: Words) {
  return { decidedBy: row.decided_by, decidedAt: row.decided_at, decisionReason: words.get(row.decision_reason_id ?? '') ?? null };
}
