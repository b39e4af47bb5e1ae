import { type LocalDate } from '../deal/terms';

/** When a version of a policy begins. */
export interface VersionDates {
  readonly id: string;
  readonly version: number;
  readonly validFrom: LocalDate;
}

/** Where a version stands on a day. */
export type VersionState = 'scheduled' | 'in-force' | 'superseded';

/** The version in force on a day: the latest that is valid from then or before; of two from one day the higher version. */
export function inForce<V extends VersionDates>(versions: readonly V[], date: LocalDate): V | null {
  return versions
    .filter(({ validFrom }) => validFrom <= date)
    .reduce<V | null>((last, each) => (last !== null && isAfter(last, each) ? last : each), null);
}

/** The version that comes first in force after another has; null where none is known. */
export function successorOf<V extends VersionDates>(versions: readonly V[], version: V): V | null {
  return (
    lastFirst(versions)
      .filter((other) => isAfter(other, version))
      .at(-1) ?? null
  );
}

/** What has become of a version by a day. */
export function stateOf(versions: readonly VersionDates[], version: VersionDates, today: LocalDate): VersionState {
  if (version.validFrom > today) return 'scheduled';
  return inForce(versions, today)?.id === version.id ? 'in-force' : 'superseded';
}

/** The last to come in force first. */
export function lastFirst<V extends VersionDates>(versions: readonly V[]): V[] {
  return [...versions].sort((a, b) => (isAfter(a, b) ? -1 : 1));
}

function isAfter(a: VersionDates, b: VersionDates): boolean {
  return a.validFrom === b.validFrom ? a.version > b.version : a.validFrom > b.validFrom;
}
