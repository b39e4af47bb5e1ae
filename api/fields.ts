/** Which rights a reader lacks for parts of a document of any shape. */
export interface HiddenFields {
  readonly cost: boolean;
  readonly margin: boolean;
  readonly pay: boolean;
}

const NAMES: Readonly<Record<keyof HiddenFields, RegExp>> = { cost: /cost/i, margin: /margin/i, pay: /^(?:pay|salary)(?:[A-Z]|$)/ };

/** Fields with a right of their own, as they are named on record. */
export type FieldClass = 'cost' | 'margin' | 'pay' | 'personal-data';

const CLASSES: readonly (readonly [FieldClass, RegExp])[] = [
  ['cost', NAMES.cost],
  ['margin', NAMES.margin],
  ['pay', NAMES.pay],
  ['personal-data', /^personalData$/],
];

/** Which classes of such fields a document holds, wherever they stand in it; a field without a value tells nothing. */
export function fieldClassesIn(document: unknown): FieldClass[] {
  const found = new Set<FieldClass>();
  const look = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    if (Array.isArray(value)) return value.forEach(look);
    for (const [name, each] of Object.entries(value)) {
      if (each === null || each === undefined) continue;
      for (const place of name === 'path' && isPointer(each) ? (tellsValue(value) ? each.split('/') : []) : [name])
        for (const [kind, pattern] of CLASSES) if (pattern.test(place)) found.add(kind);
      look(each);
    }
  };
  look(document);
  return CLASSES.map(([kind]) => kind).filter((kind) => found.has(kind));
}

/** Where a change is told, the field is named by its place. */
function isPointer(value: unknown): value is string {
  return typeof value === 'string' && value.startsWith('/');
}

/** A place alone tells nothing of what stood there. */
function tellsValue({ before, after }: { readonly before?: unknown; readonly after?: unknown }): boolean {
  return (before ?? after ?? null) !== null;
}

/**
 * The document without the fields that the reader may not see, wherever they stand in it; of a change that is told by its place, without
 * what stood and stands there.
 */
export function withoutFields(value: unknown, hidden: HiddenFields): unknown {
  if (Array.isArray(value)) return value.map((each) => withoutFields(each, hidden));
  if (typeof value !== 'object' || value === null) return value;
  const kinds = (Object.keys(NAMES) as (keyof HiddenFields)[]).filter((kind) => hidden[kind]);
  const isHidden = (name: string) => kinds.some((kind) => NAMES[kind].test(name));
  const isPlaceHidden = 'path' in value && isPointer(value.path) && value.path.split('/').some(isHidden);
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => !isHidden(name) && !(isPlaceHidden && (name === 'before' || name === 'after')))
      .map(([name, each]) => [name, withoutFields(each, hidden)]),
  );
}
