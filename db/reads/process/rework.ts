import { sql, type Kysely } from 'kysely';
import { type Decimal } from '../../../domain/decimal';
import { sharePercent } from '../../../domain/process/figures';
import { type DB } from '../../types';
import { inPeriod, ofLifecycle, type Period, type ProcessFilter } from './period';

/** How much of what was done in the period had to be done again. */
export interface ReworkRow {
  readonly lifecycle: string;
  readonly task: string;
  readonly done: number;
  readonly reworked: number;
  readonly reworkPercent: Decimal | null;
}

/**
 * Rework by the cohort of the period: of the decisions taken, those that refused; of the deliveries answered by the customer, those rejected; of
 * the invoices issued, those corrected by now (R-257).
 */
export async function readRework(db: Kysely<DB>, filter: ProcessFilter, period: Period): Promise<ReworkRow[]> {
  const { rows } = await sql<Omit<ReworkRow, 'reworkPercent'>>`
    select lifecycle, task, count(*) as done, count(*) filter (where is_rework) as reworked
      from process_rework
     where ${inPeriod(period, sql`entity_id`, sql`done_at`)} and ${ofLifecycle(filter)}
     group by lifecycle, task
     order by lifecycle, task`.execute(db);
  return rows.map((row) => ({ ...row, reworkPercent: sharePercent(row.reworked, row.done) }));
}
