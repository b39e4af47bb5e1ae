import { sql, type Kysely } from 'kysely';
import { type DB } from '../../types';
import { calendarsOf, type Durations, durationsOf, intervalColumns, type Intervals } from './durations';
import { sumOf, together } from './groups';
import { inPeriod, type Period } from './period';

/** Approvals of one kind of subject that ended; the cycle time is of those that were decided. */
export interface ApprovalCycleRow {
  readonly subjectKind: string;
  readonly approved: number;
  readonly refused: number;
  readonly withdrawn: number;
  readonly cycleTime: Durations | null;
}

interface Found extends Intervals {
  readonly subjectKind: string;
  readonly isDecided: boolean;
  readonly approved: number;
  readonly refused: number;
  readonly withdrawn: number;
}

/** Approvals that ended in the period and asked somebody; cycle time runs from asking until the last decision, through all tiers (R-256). */
export async function readApprovalCycles(db: Kysely<DB>, period: Period): Promise<ApprovalCycleRow[]> {
  const { rows } = await sql<Found>`
    select entity_id as "entityId", subject_kind as "subjectKind", state in ('approved', 'refused') as "isDecided",
           count(*) filter (where state = 'approved') as approved, count(*) filter (where state = 'refused') as refused,
           count(*) filter (where state in ('withdrawn', 'expired')) as withdrawn, ${intervalColumns(sql`opened_at`, sql`decided_at`)}
      from process_approval
     where ${inPeriod(period, sql`entity_id`, sql`decided_at`)}
     group by entity_id, subject_kind, state in ('approved', 'refused')
     order by subject_kind, entity_id`.execute(db);
  const calendars = calendarsOf(db);
  return Promise.all(
    together(rows, ['subjectKind']).map(async ({ of, parts }) => ({
      ...of,
      approved: sumOf(parts, (part) => part.approved),
      refused: sumOf(parts, (part) => part.refused),
      withdrawn: sumOf(parts, (part) => part.withdrawn),
      cycleTime: await durationsOf(
        calendars,
        parts.filter((part) => part.isDecided),
      ),
    })),
  );
}
