import { sql, type Kysely, type RawBuilder } from 'kysely';
import { type WorkingCalendar } from '../../../domain/calendar/working-day';
import { workingMinutesOn, workingTimeline } from '../../../domain/calendar/working-timeline';
import { fromEpochMs } from '../../../domain/calendar/zone';
import { spreadOf, type Spread } from '../../../domain/process/figures';
import { isViolation } from '../../../domain/violation';
import { entityOf } from '../../parties';
import { type DB } from '../../types';

const MINUTE_MS = 60_000;

/** How long things took: minutes on the clock, and minutes in the working time of their entities; null where none of them has an entity. */
export interface Durations {
  readonly elapsedMinutes: Spread;
  readonly workingMinutes: Spread | null;
}

/** Intervals of one entity, in milliseconds since 1970. */
export interface Intervals {
  readonly entityId: string | null;
  readonly starts: readonly number[];
  readonly ends: readonly number[];
}

/** Columns of `Intervals` for a grouped query, from two expressions of type timestamptz. */
export function intervalColumns(start: RawBuilder<unknown>, end: RawBuilder<unknown>): RawBuilder<unknown> {
  const milliseconds = (moment: RawBuilder<unknown>) => sql`array_agg((extract(epoch from ${moment}) * 1000)::bigint)`;
  return sql`${milliseconds(start)} as starts, ${milliseconds(end)} as ends`;
}

/**
 * Calendars by what they say: a request that reads one again finds what was worked out of it before, the spans of its days, which cost more
 * than all the rest.
 */
const knownCalendars = new Map<string, WorkingCalendar>();

/** The working calendars of entities, each read once. */
export type Calendars = (entityId: string) => Promise<WorkingCalendar>;

export function calendarsOf(db: Kysely<DB>): Calendars {
  const known = new Map<string, Promise<WorkingCalendar>>();
  return (entityId) => {
    const calendar = known.get(entityId) ?? entityOf(db, entityId).then((entity) => remembered(entity.calendar));
    known.set(entityId, calendar);
    return calendar;
  };
}

/** The spread of intervals of any entities; null where there are none. */
export async function durationsOf(calendars: Calendars, parts: readonly Intervals[]): Promise<Durations | null> {
  const elapsed = spreadOf(parts.flatMap(({ starts, ends }) => starts.map((start, index) => minutes(start, ends[index] ?? start))));
  const working: number[] = [];
  for (const part of parts) for (const each of await workingMinutesOf(calendars, part)) working.push(each);
  return elapsed === null ? null : { elapsedMinutes: elapsed, workingMinutes: spreadOf(working) };
}

/** Working minutes of each interval on the calendar of the entity; none where there is no entity, or its calendar has no working time. */
export async function workingMinutesOf(calendars: Calendars, { entityId, starts, ends }: Intervals): Promise<number[]> {
  const first = smallest(starts);
  const last = largest(ends);
  if (entityId === null || first === undefined || last === undefined) return [];
  const timeline = workingTimeline(await calendars(entityId), fromEpochMs(first), fromEpochMs(last));
  if (isViolation(timeline)) return [];
  return starts.map((start, index) => workingMinutesOn(timeline, start, ends[index] ?? start));
}

function remembered(calendar: WorkingCalendar): WorkingCalendar {
  const said = JSON.stringify(calendar);
  const known = knownCalendars.get(said) ?? calendar;
  knownCalendars.set(said, known);
  return known;
}

function minutes(start: number, end: number): number {
  return Math.floor((end - start) / MINUTE_MS);
}

function smallest(values: readonly number[]): number | undefined {
  return values.reduce<number | undefined>((least, value) => (least === undefined || value < least ? value : least), undefined);
}

function largest(values: readonly number[]): number | undefined {
  return values.reduce<number | undefined>((most, value) => (most === undefined || value > most ? value : most), undefined);
}
