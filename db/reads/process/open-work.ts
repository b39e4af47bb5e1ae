import { sql, type Kysely } from 'kysely';
import { type Scope } from '../../../domain/access';
import { epochMs } from '../../../domain/calendar/zone';
import { type Instant } from '../../../domain/deal/terms';
import { inEntities } from '../../entity-scope';
import { type DB } from '../../types';
import { type Calendars, calendarsOf, workingMinutesOf } from './durations';
import { sumOf, together } from './groups';
import { ofLifecycle, type ProcessFilter } from './period';

const MINUTE_MS = 60_000;

/** What is waited for in one stage of a lifecycle, by age. */
export interface OpenWorkRow {
  readonly lifecycle: string;
  readonly stage: string;
  readonly task: string;
  readonly role: string;
  readonly open: number;
  readonly overdue: number;
  readonly byAge: {
    readonly upToADay: number;
    readonly upToThreeDays: number;
    readonly upToAWeek: number;
    readonly upToThirtyDays: number;
    readonly older: number;
  };
  readonly oldest: { readonly since: string; readonly elapsedMinutes: number; readonly workingMinutes: number | null };
}

interface Found {
  readonly entity_id: string | null;
  readonly lifecycle: string;
  readonly stage: string;
  readonly task: string;
  readonly role: string;
  readonly open: number;
  readonly overdue: number;
  readonly oldest_since: string;
  readonly up_to_a_day: number;
  readonly up_to_three_days: number;
  readonly up_to_a_week: number;
  readonly up_to_thirty_days: number;
  readonly older: number;
}

/**
 * Open work of the reader's entities at a moment, by lifecycle, stage, task and role. Each wait is one piece of work and belongs to one entity,
 * one without an entity of its own to the lead entity of its deal; its age runs on the clock since it was asked (R-252).
 */
export async function readOpenWork(db: Kysely<DB>, scope: Scope, filter: ProcessFilter, at: Instant): Promise<OpenWorkRow[]> {
  const { rows } = await sql<Found>`
    select * from process_open_work_at(${at}::timestamptz)
     where ${inEntities(scope, sql`array[entity_id]`)} and ${ofLifecycle(filter)}
       and ${filter.entityId === undefined ? sql`true` : sql`entity_id = ${filter.entityId}`}
     order by lifecycle, stage, task, role, oldest_since`.execute(db);
  const groups = together(rows, ['lifecycle', 'stage', 'task', 'role']);
  const calendars = calendarsOf(db);
  return Promise.all(
    groups.map(async ({ of, parts }) => ({
      ...of,
      open: sumOf(parts, (part) => part.open),
      overdue: sumOf(parts, (part) => part.overdue),
      byAge: {
        upToADay: sumOf(parts, (part) => part.up_to_a_day),
        upToThreeDays: sumOf(parts, (part) => part.up_to_three_days),
        upToAWeek: sumOf(parts, (part) => part.up_to_a_week),
        upToThirtyDays: sumOf(parts, (part) => part.up_to_thirty_days),
        older: sumOf(parts, (part) => part.older),
      },
      oldest: await ageOf(calendars, parts[0], at),
    })),
  );
}

/** The first part has the oldest. What was asked a moment ago by another clock is no minute old. */
async function ageOf(calendars: Calendars, oldest: Found | undefined, at: Instant): Promise<OpenWorkRow['oldest']> {
  if (oldest === undefined) throw new Error('a group has a row');
  const start = epochMs(oldest.oldest_since);
  const end = Math.max(start, epochMs(at));
  const [working = null] = await workingMinutesOf(calendars, { entityId: oldest.entity_id, starts: [start], ends: [end] });
  return { since: oldest.oldest_since, elapsedMinutes: Math.floor((end - start) / MINUTE_MS), workingMinutes: working };
}
