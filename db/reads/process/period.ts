import { sql, type Kysely, type RawBuilder, type SqlBool } from 'kysely';
import { type Scope } from '../../../domain/access';
import { isLocalDate } from '../../../domain/calendar/dates';
import { compareInstants, epochMs, fromEpochMs, startOfDay } from '../../../domain/calendar/zone';
import { type Instant } from '../../../domain/deal/terms';
import { inEntities } from '../../entity-scope';
import { type DB } from '../../types';

/** Whose control data: of one lifecycle, or of one entity, or all that the reader sees. */
export interface ProcessFilter {
  readonly lifecycle?: string | undefined;
  readonly entityId?: string | undefined;
}

/** From a day or instant up to another one, which is not in it. Left out: the thirty days up to now. */
export interface PeriodQuery {
  readonly from?: string | undefined;
  readonly until?: string | undefined;
}

/** A period as it was asked for, and when it begins and ends in each entity of the reader. */
export interface Period {
  readonly from: string;
  readonly until: string;
  readonly bounds: readonly Bounds[];
}

interface Bounds {
  /** Empty for what belongs to no entity. */
  readonly entity: string;
  readonly from: Instant;
  readonly until: Instant;
}

const THIRTY_DAYS_MS = 30 * 86_400_000;

/**
 * Where a period begins and ends: a day is the day of the entity whose work it is, in its time zone; of what belongs to no entity, in UTC.
 * Half open, so that periods that follow one another count everything once.
 */
export async function periodOf(
  db: Kysely<DB>,
  scope: Scope,
  { from, until, entityId }: PeriodQuery & Pick<ProcessFilter, 'entityId'>,
  now: Instant,
): Promise<Period> {
  let query = db
    .selectFrom('legal_entity')
    .select(['id', 'time_zone'])
    .where(inEntities(scope, sql`array[id]`));
  if (entityId !== undefined) query = query.where('id', '=', entityId);
  const entities = (await query.orderBy('id').execute()).map((row) => ({ entity: row.id, timeZone: row.time_zone }));
  const nobodys = scope.kind === 'group' && entityId === undefined ? [{ entity: '', timeZone: 'UTC' }] : [];
  const last = until ?? now;
  const first = from ?? fromEpochMs(epochMs(isLocalDate(last) ? startOfDay(last, 'UTC') : last) - THIRTY_DAYS_MS);
  const at = (text: string, timeZone: string): Instant => (isLocalDate(text) ? startOfDay(text, timeZone) : text);
  return {
    from: first,
    until: last,
    bounds: [...entities, ...nobodys].map(({ entity, timeZone }) => ({ entity, from: at(first, timeZone), until: at(last, timeZone) })),
  };
}

/** Condition that a row of an entity (an expression of type text) lies in the period by a moment, and so in the reader's scope. */
export function inPeriod({ bounds }: Period, entityId: RawBuilder<unknown>, moment: RawBuilder<unknown>): RawBuilder<SqlBool> {
  const [first] = bounds.map((each) => each.from).sort(compareInstants);
  const last = bounds
    .map((each) => each.until)
    .sort(compareInstants)
    .at(-1);
  if (first === undefined || last === undefined) return sql<SqlBool>`false`;
  return sql<SqlBool>`${moment} >= ${first}::timestamptz and ${moment} < ${last}::timestamptz and exists (
    select from jsonb_to_recordset(${JSON.stringify(bounds)}::jsonb) as bounds (entity text, "from" timestamptz, until timestamptz)
     where bounds.entity = coalesce(${entityId}, '') and ${moment} >= bounds."from" and ${moment} < bounds.until)`;
}

/** Condition that a row is of the lifecycle that was asked for. */
export function ofLifecycle({ lifecycle }: ProcessFilter): RawBuilder<SqlBool> {
  return lifecycle === undefined ? sql<SqlBool>`true` : sql<SqlBool>`lifecycle = ${lifecycle}`;
}
