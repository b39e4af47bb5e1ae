import { canonicalJson } from './canonical-json';

/** One place at which two contents differ; what is not there at all is absent. */
export interface Difference {
  /** JSON pointer; an element of a list whose elements have a name of their own is named by it, any other by its number. */
  readonly path: string;
  readonly before?: unknown;
  readonly after?: unknown;
}

type Members = ReadonlyMap<string, unknown>;

/** Members by which an element of a list may be known; the first that names all elements of both lists apart is taken. */
const BY_ID: readonly string[] = ['id'];

/**
 * Where two contents differ, in the order of the paths: the innermost places, so that a change of one threshold is told as that threshold
 * . Elements that only stand in another order are no difference where they have names: a matrix has no order.
 */
export function differences(before: unknown, after: unknown, names: readonly string[] = BY_ID, path = ''): Difference[] {
  if (before === undefined) return after === undefined ? [] : [{ path, after }];
  if (after === undefined) return [{ path, before }];
  const [old, fresh] = membersOfBoth(before, after, names);
  if (old === null || fresh === null) return canonicalJson(before) === canonicalJson(after) ? [] : [{ path, before, after }];
  const places = [...new Set([...old.keys(), ...fresh.keys()])].sort();
  return places.flatMap((place) => differences(old.get(place), fresh.get(place), names, `${path}/${escaped(place)}`));
}

/**
 * The same, with whatever was added, is gone or took another form told leaf by leaf: what people approve place by place is cut nowhere. An
 * empty list or object is a leaf.
 */
export function leafDifferences(before: unknown, after: unknown, names: readonly string[] = BY_ID, path = ''): Difference[] {
  return differences(before, after, names, path).flatMap((found) => {
    if (isLeaf(found.before) && isLeaf(found.after)) return [found];
    const gone = isLeaf(found.before) ? sideOf(found, 'before') : leafDifferences(found.before, emptyOf(found.before), names, found.path);
    const added = isLeaf(found.after) ? sideOf(found, 'after') : leafDifferences(emptyOf(found.after), found.after, names, found.path);
    return [...gone, ...added];
  });
}

/** One side of a difference by itself; nothing where that side is absent. */
function sideOf(found: Difference, side: 'before' | 'after'): Difference[] {
  return side in found ? [{ path: found.path, [side]: found[side] }] : [];
}

/** The members of two values of one form; null where they have none, or are of two forms. */
function membersOfBoth(before: unknown, after: unknown, names: readonly string[]): readonly [Members, Members] | readonly [null, null] {
  if (isObject(before) && isObject(after)) return [new Map(Object.entries(before)), new Map(Object.entries(after))];
  if (!Array.isArray(before) || !Array.isArray(after)) return [null, null];
  for (const name of names) {
    const [old, fresh] = [byName(before, name), byName(after, name)];
    if (old !== null && fresh !== null) return [old, fresh];
  }
  return [byNumber(before), byNumber(after)];
}

/** Null where an element has no such name, or two have the same. */
function byName(list: readonly unknown[], name: string): Members | null {
  const named = new Map(list.flatMap((each) => (isObject(each) && typeof each[name] === 'string' ? [[each[name], each] as const] : [])));
  return named.size === list.length ? named : null;
}

/** By the number of each element. */
function byNumber(list: readonly unknown[]): Members {
  return new Map(list.map((each, index) => [String(index), each]));
}

function isLeaf(value: unknown): boolean {
  return typeof value !== 'object' || value === null || Object.keys(value).length === 0;
}

function emptyOf(value: unknown): unknown {
  return Array.isArray(value) ? [] : {};
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function escaped(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}
