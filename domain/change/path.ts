import { type Violation } from '../violation';

/** What the path of a change names. */
export type ChangeTarget =
  | { readonly kind: 'term' | 'rate-card'; readonly lineId: string; readonly term: string }
  | { readonly kind: 'add-on'; readonly lineId: string; readonly term: string; readonly addOnId: string }
  | { readonly kind: 'work-package'; readonly workPackageId: string };

/** Names that customers use, and the term they mean. */
const ALIASES: Readonly<Record<string, string>> = { cap: 'notToExceed' };

/** Reads the path of a change; `UnknownTermPath` where it names nothing that a contract has. */
export function changeTarget(path: string): ChangeTarget | Violation {
  const [scope, id, ...rest] = path.split('.');
  if (id === undefined || id === '' || rest.some((part) => part === '')) return unknown(path);
  if (scope === 'workPackages') return rest.length === 0 ? { kind: 'work-package', workPackageId: id } : unknown(path);
  const [first, second, ...more] = rest;
  if (scope !== 'lines' || first === undefined) return unknown(path);
  if (first === 'rateCard') return second === undefined ? { kind: 'rate-card', lineId: id, term: first } : unknown(path);
  if (first !== 'addOns') return { kind: 'term', lineId: id, term: rest.length === 1 ? (ALIASES[first] ?? first) : rest.join('.') };
  return second !== undefined && more.length === 0
    ? { kind: 'add-on', lineId: id, term: `addOns.${second}`, addOnId: second }
    : unknown(path);
}

function unknown(path: string): Violation {
  return { violation: 'UnknownTermPath', detail: 'names no term of a line, no add-on, rate card or work package', path };
}
