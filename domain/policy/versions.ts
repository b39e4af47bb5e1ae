import { type Instant, type LocalDate } from '../deal/terms';

/** When a version of a policy holds, for whom, and since when that is known. */
export interface VersionDates {
  readonly id: string;
  readonly version: number;
  readonly validFrom: LocalDate;
  /** The entity that says something otherwise; null for a version of the group. */
  readonly entityId: string | null;
  /** Null where it came with master data. */
  readonly grantedAt: Instant | null;
  readonly withdrawn: { readonly from: LocalDate; readonly at: Instant } | null;
}

/** Where a version stands on a day. */
export type VersionState = 'scheduled' | 'in-force' | 'superseded' | 'withdrawn';

/**
 * The version in force on a day, of an entity or (null) of the group: the latest that is valid from then or before and not taken back by
 * then; of two from one day the higher version. `knownAt`: as it was known at a moment, so that what runs keeps its version whatever
 * is granted or taken back later; null: as it is known now.
 */
export function inForce<V extends VersionDates>(
  versions: readonly V[],
  entityId: string | null,
  date: LocalDate,
  knownAt: Instant | null = null,
): V | null {
  return versions
    .filter((each) => each.entityId === entityId && isKnown(each, knownAt) && holdsOn(each, date, knownAt))
    .reduce<V | null>((last, each) => (last !== null && isAfter(last, each) ? last : each), null);
}

/** The version of the same entity, or of the group, that comes in force next after another; null where none is known. */
export function successorOf<V extends VersionDates>(versions: readonly V[], version: V): V | null {
  const others = versions.filter((other) => other.entityId === version.entityId && isAfter(other, version));
  return lastFirst(others.filter((other) => other.withdrawn === null)).at(-1) ?? null;
}

/** What has become of a version by a day. */
export function stateOf(versions: readonly VersionDates[], version: VersionDates, today: LocalDate): VersionState {
  if (version.withdrawn !== null && version.withdrawn.from <= today) return 'withdrawn';
  if (version.validFrom > today) return 'scheduled';
  return inForce(versions, version.entityId, today)?.id === version.id ? 'in-force' : 'superseded';
}

/** The last to come in force first. */
export function lastFirst<V extends VersionDates>(versions: readonly V[]): V[] {
  return [...versions].sort((a, b) => (isAfter(a, b) ? -1 : 1));
}

function isKnown({ grantedAt }: VersionDates, knownAt: Instant | null): boolean {
  return knownAt === null || grantedAt === null || Date.parse(grantedAt) <= Date.parse(knownAt);
}

function holdsOn({ validFrom, withdrawn }: VersionDates, date: LocalDate, knownAt: Instant | null): boolean {
  if (validFrom > date) return false;
  const isTakenBack = withdrawn !== null && (knownAt === null || Date.parse(withdrawn.at) <= Date.parse(knownAt));
  return !isTakenBack || date < withdrawn.from;
}

function isAfter(a: VersionDates, b: VersionDates): boolean {
  return a.validFrom === b.validFrom ? a.version > b.version : a.validFrom > b.validFrom;
}
