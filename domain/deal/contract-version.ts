import { type DealTerms } from './terms';

/**
 * Canonical JSON of the governing terms, for the hash of a contract version: keys in code-unit order, lines in the order of their ids, no
 * white space; so the same deal told by two sources gives the same text (R-029, I-06). Milestones keep their order, because ties of the
 * split go to the earlier one. The hash itself is made outside.
 */
export function canonicalTerms(governing: DealTerms): string {
  const lines = [...governing.lines].sort((a, b) => (a.lineId < b.lineId ? -1 : a.lineId > b.lineId ? 1 : 0));
  return canonicalJson({ ...governing, lines });
}

/** JSON with sorted keys and without undefined members; throws for what has no one JSON form (floats, functions, bigint). */
export function canonicalJson(value: unknown): string {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return JSON.stringify(value);
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value)) throw new RangeError(`not a safe integer: ${value}`);
    return JSON.stringify(value === 0 ? 0 : value);
  }
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object') throw new TypeError(`no canonical JSON for a ${typeof value}`);
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  members.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`).join(',')}}`;
}
