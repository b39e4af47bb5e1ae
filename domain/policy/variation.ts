import { type InvalidInput, type Violation } from '../violation';
import { contentOf } from './content';
import { inForce, type VersionDates } from './versions';
import { type LocalDate } from '../deal/terms';

/** A version with what it says: the whole of a global one, of a local one only what it says otherwise. */
export interface PolicyVersion extends VersionDates {
  readonly body: unknown;
}

/**
 * What holds for an entity: the global version with what the entity says otherwise put in, place by place; a list is replaced whole.
 * So an entity follows each new global version in everything that it does not vary.
 */
export function varied(global: unknown, variation: unknown): unknown {
  if (!isObject(global) || !isObject(variation)) return variation;
  const merged = Object.entries(variation).map(
    ([name, value]) => [name, Object.hasOwn(global, name) ? varied(global[name], value) : value] as const,
  );
  return { ...global, ...Object.fromEntries(merged) };
}

/** What an entity goes by on a day, of all versions that stand; null where the group has none. */
export function bodyFor(versions: readonly PolicyVersion[], entityId: string | null, date: LocalDate): unknown {
  const global = inForce(versions, null, date);
  const local = entityId === null ? null : inForce(versions, entityId, date);
  if (global === null) return null;
  return local === null ? global.body : varied(global.body, contentOf(local.body));
}

/** Refuses what an entity says of places that its kind keeps for the group: `PolicyVariationInvalid` with each of them. */
export function refuseForeignPlaces(places: readonly string[], variation: unknown): InvalidInput | null {
  const errors = leaves(variation, '')
    .filter((path) => !places.some((place) => path === place || path.startsWith(`${place}/`)))
    .map((path): Violation => ({ violation: 'PlaceNotLocal', detail: 'an entity does not say this otherwise than the group', path }));
  return errors.length === 0
    ? null
    : { violation: 'PolicyVariationInvalid', detail: `${errors.length} places are kept for the group`, errors };
}

/**
 * Every combination of a global and a local version that would hold on some day from `from` on, as what its entity would go by: none may say
 * what its kind refuses.
 */
export function combinations(
  versions: readonly PolicyVersion[],
  from: LocalDate,
): { entityId: string | null; date: LocalDate; body: unknown }[] {
  const entities = [null, ...new Set(versions.flatMap(({ entityId }) => (entityId === null ? [] : [entityId])))];
  const days = versions.flatMap(({ validFrom, withdrawn }) => [validFrom, ...(withdrawn === null ? [] : [withdrawn.from])]);
  const dates = [...new Set([from, ...days.filter((day) => day > from)])].sort();
  return entities.flatMap((entityId) => dates.map((date) => ({ entityId, date, body: bodyFor(versions, entityId, date) })));
}

function leaves(value: unknown, path: string): string[] {
  if (!isObject(value)) return [path];
  return Object.entries(value).flatMap(([name, each]) => leaves(each, `${path}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
