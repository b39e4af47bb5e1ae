import { sql, type Kysely } from 'kysely';
import { type DB } from '../../types';
import { calendarsOf, type Durations, durationsOf, intervalColumns, type Intervals } from './durations';
import { sumOf, together } from './groups';
import { inPeriod, ofLifecycle, type Period, type ProcessFilter } from './period';

/** How long a role took with what was handed to it. */
export interface HandoffRow {
  readonly lifecycle: string;
  readonly task: string;
  readonly fromRole: string | null;
  readonly role: string;
  readonly handoffs: number;
  readonly delay: Durations | null;
}

interface Found {
  readonly lifecycle: string;
  readonly task: string;
  readonly fromRole: string | null;
  readonly role: string;
  readonly handoffs: number;
}

/** Handoffs that were done in the period, with the delay from the moment of asking until it was done (R-253). */
export async function readHandoffs(db: Kysely<DB>, filter: ProcessFilter, period: Period): Promise<HandoffRow[]> {
  const { rows } = await sql<Found & Intervals>`
    select entity_id as "entityId", lifecycle, task, from_role as "fromRole", role, count(*) as handoffs, ${intervalColumns(sql`since`, sql`closed_at`)}
      from process_handoff
     where ${inPeriod(period, sql`entity_id`, sql`closed_at`)} and ${ofLifecycle(filter)}
     group by entity_id, lifecycle, task, from_role, role
     order by lifecycle, task, from_role, role, entity_id`.execute(db);
  const calendars = calendarsOf(db);
  return Promise.all(
    together(rows, ['lifecycle', 'task', 'fromRole', 'role']).map(async ({ of, parts }) => ({
      ...of,
      handoffs: sumOf(parts, (part) => part.handoffs),
      delay: await durationsOf(calendars, parts),
    })),
  );
}
