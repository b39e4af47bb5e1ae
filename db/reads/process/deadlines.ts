import { sql, type Kysely } from 'kysely';
import { type Instant } from '../../../domain/deal/terms';
import { type Decimal } from '../../../domain/decimal';
import { sharePercent } from '../../../domain/process/figures';
import { type DB } from '../../types';
import { calendarsOf, type Durations, durationsOf, intervalColumns, type Intervals } from './durations';
import { sumOf, together } from './groups';
import { inPeriod, ofLifecycle, type Period, type ProcessFilter } from './period';

/** Deadlines that were settled: kept, missed, or void; what share of the kept and missed was kept. */
export interface Attainment {
  readonly kept: number;
  readonly late: number;
  readonly void: number;
  readonly attainmentPercent: Decimal | null;
}

export interface SlaView {
  readonly lifecycles: readonly ({ readonly lifecycle: string } & Attainment)[];
  readonly rows: readonly ({ readonly lifecycle: string; readonly task: string; readonly role: string } & Attainment)[];
}

export interface BreachRow {
  readonly lifecycle: string;
  readonly task: string;
  readonly role: string;
  readonly cause: 'stuck' | 'nobody-to-decide' | 'held';
  readonly breaches: number;
  readonly stillOpen: number;
  /** From the deadline until it was done, or until now. */
  readonly lateness: Durations | null;
}

interface Settled {
  readonly lifecycle: string;
  readonly task: string;
  readonly role: string;
  readonly kept: number;
  readonly late: number;
  readonly void: number;
}

/**
 * Attainment of the deadlines that were settled in the period: when the work was done in time, or when its deadline passed. A deadline is
 * kept by what is done at that moment at the latest; one that is still running is neither (R-254).
 */
export async function readSla(db: Kysely<DB>, filter: ProcessFilter, period: Period, at: Instant): Promise<SlaView> {
  const { rows } = await sql<Settled>`
    with settled as materialized (
      select lifecycle, task, role, outcome
        from process_deadlines(${at}::timestamptz)
       where ${inPeriod(period, sql`entity_id`, sql`settled_at`)} and ${ofLifecycle(filter)})
    select lifecycle, task, role, count(*) filter (where outcome = 'kept') as kept, count(*) filter (where outcome = 'late') as late,
           count(*) filter (where outcome = 'void') as void
      from settled
     where outcome <> 'running'
     group by lifecycle, task, role
     order by lifecycle, task, role`.execute(db);
  return {
    lifecycles: together(rows, ['lifecycle']).map(({ of, parts }) => ({ ...of, ...attainment(parts) })),
    rows: rows.map(({ lifecycle, task, role, ...counts }) => ({ lifecycle, task, role, ...attainment([counts]) })),
  };
}

/** Deadlines that passed in the period, by what is known of the cause, and for how long they were missed (R-255). */
export async function readBreaches(db: Kysely<DB>, filter: ProcessFilter, period: Period, at: Instant): Promise<BreachRow[]> {
  const { rows } = await sql<Omit<BreachRow, 'lateness'> & Intervals>`
    with breach as materialized (
      select entity_id, lifecycle, task, role, cause, due, closed_at, late_until
        from process_breaches(${at}::timestamptz)
       where ${inPeriod(period, sql`entity_id`, sql`settled_at`)} and ${ofLifecycle(filter)})
    select entity_id as "entityId", lifecycle, task, role, cause, count(*) as breaches, count(*) filter (where closed_at is null) as "stillOpen",
           ${intervalColumns(sql`due`, sql`late_until`)}
      from breach
     group by entity_id, lifecycle, task, role, cause
     order by lifecycle, task, role, cause, entity_id`.execute(db);
  const calendars = calendarsOf(db);
  return Promise.all(
    together(rows, ['lifecycle', 'task', 'role', 'cause']).map(async ({ of, parts }) => ({
      ...of,
      breaches: sumOf(parts, (part) => part.breaches),
      stillOpen: sumOf(parts, (part) => part.stillOpen),
      lateness: await durationsOf(calendars, parts),
    })),
  );
}

function attainment(parts: readonly Pick<Settled, 'kept' | 'late' | 'void'>[]): Attainment {
  const kept = sumOf(parts, (part) => part.kept);
  const late = sumOf(parts, (part) => part.late);
  return { kept, late, void: sumOf(parts, (part) => part.void), attainmentPercent: sharePercent(kept, kept + late) };
}
