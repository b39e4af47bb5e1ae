import { canonicalJson } from '../canonical-json';

/** One place at which two contents differ; what is not there at all is absent. */
export interface Difference {
  /** JSON pointer; an element of a list whose elements have ids is named by its id, any other by its number. */
  readonly path: string;
  readonly before?: unknown;
  readonly after?: unknown;
}

type Members = ReadonlyMap<string, unknown>;

/**
 * Where two contents differ, in the order of the paths: the innermost places, so that a change of one threshold is told as that threshold
 * . Rules of a matrix that only stand in another order are no difference: a matrix has no order.
 */
export function differences(before: unknown, after: unknown, path = ''): Difference[] {
  if (before === undefined) return after === undefined ? [] : [{ path, after }];
  if (after === undefined) return [{ path, before }];
  const [old, fresh] = membersOfBoth(before, after);
  if (old === null || fresh === null) return canonicalJson(before) === canonicalJson(after) ? [] : [{ path, before, after }];
  const names = [...new Set([...old.keys(), ...fresh.keys()])].sort();
  return names.flatMap((name) => differences(old.get(name), fresh.get(name), `${path}/${escaped(name)}`));
}

/** The members of two values of one form; null where they have none, or are of two forms. */
function membersOfBoth(before: unknown, after: unknown): readonly [Members, Members] | readonly [null, null] {
  if (isObject(before) && isObject(after)) return [new Map(Object.entries(before)), new Map(Object.entries(after))];
  if (!Array.isArray(before) || !Array.isArray(after)) return [null, null];
  const [old, fresh] = [byId(before), byId(after)];
  return old !== null && fresh !== null ? [old, fresh] : [byNumber(before), byNumber(after)];
}

/** Null where an element has no id, or two have one. */
function byId(list: readonly unknown[]): Members | null {
  const named = new Map(list.flatMap((each) => (isObject(each) && typeof each.id === 'string' ? [[each.id, each] as const] : [])));
  return named.size === list.length ? named : null;
}

/** By the number of each element. */
function byNumber(list: readonly unknown[]): Members {
  return new Map(list.map((each, index) => [String(index), each]));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function escaped(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}
