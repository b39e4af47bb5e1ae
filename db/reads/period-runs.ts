import { sql, type Kysely } from 'kysely';
import { parkedOf } from '../unbilled';
import { type DB } from '../types';
import { amount, amountOrNull } from './amount';

export interface PeriodRunView {
  readonly runId: string;
  readonly period: string;
  readonly reference: string;
  readonly invoiceId: string | null;
  readonly currency: string;
  readonly limit: string | null;
  readonly billedFees: string;
  readonly billedToDate: string;
  /** Fees that corrections took off before this run: with `billedToDate` the figure before corrections (S-35). */
  readonly creditedBefore: string;
  readonly releasedFromParked: string;
  readonly newlyParked: string;
  readonly parkedAfter: string;
  readonly softLimitReachedBy: string | null;
  readonly runAt: string;
}

export interface LineRuns {
  readonly runs: readonly PeriodRunView[];
  readonly parked: { readonly entries: number; readonly amount: string; readonly currency: string };
}

/** Fees that corrections of the line took off before `run`, in minor units. */
export const creditedBefore = sql<number>`coalesce((
  select sum(thing.amount_minor) from credited_thing as thing join invoice_correction as correction on correction.id = thing.correction_id
   where correction.contract_line_id = run.contract_line_id and thing.entry_id is not null and thing.fate <> 'rebill'
     and correction.ended_at < run.run_at), 0)`;

/** The runs of a line that were not voided, by month, and what lies beyond its limit now (S-15). */
export async function readLineRuns(db: Kysely<DB>, contractLineId: string): Promise<LineRuns> {
  const line = await db.selectFrom('contract_line').select(['id', 'currency']).where('id', '=', contractLineId).executeTakeFirstOrThrow();
  const rows = await db
    .selectFrom('period_run as run')
    .innerJoin('billing_plan_item as item', 'item.id', 'run.billing_plan_item_id')
    .selectAll('run')
    .select(['item.reference', creditedBefore.as('credited')])
    .where('run.contract_line_id', '=', contractLineId)
    .where('run.void_at', 'is', null)
    .orderBy('run.period')
    .execute();
  const parked = await parkedOf(db, line);
  return {
    runs: rows.map((run) => ({
      runId: run.id,
      period: run.period,
      reference: run.reference,
      invoiceId: run.invoice_id,
      currency: run.currency,
      limit: amountOrNull(run.limit_minor, run.currency),
      billedFees: amount(run.billed_fees_minor, run.currency),
      billedToDate: amount(run.billed_to_date_minor, run.currency),
      creditedBefore: amount(Number(run.credited), run.currency),
      releasedFromParked: amount(run.released_minor, run.currency),
      newlyParked: amount(run.newly_parked_minor, run.currency),
      parkedAfter: amount(run.parked_after_minor, run.currency),
      softLimitReachedBy: run.soft_limit_entry_id,
      runAt: run.run_at,
    })),
    parked: { entries: parked.entries, amount: amount(parked.amount.minor, line.currency), currency: line.currency },
  };
}
