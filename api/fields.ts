/** Which rights a reader lacks for parts of a document of any shape. */
export interface HiddenFields {
  readonly cost: boolean;
  readonly margin: boolean;
  readonly pay: boolean;
}

const NAMES: Readonly<Record<keyof HiddenFields, RegExp>> = { cost: /cost/i, margin: /margin/i, pay: /^(?:pay|salary)(?:[A-Z]|$)/ };

/** The document without the fields that the reader may not see, wherever they stand in it. */
export function withoutFields(value: unknown, hidden: HiddenFields): unknown {
  if (Array.isArray(value)) return value.map((each) => withoutFields(each, hidden));
  if (typeof value !== 'object' || value === null) return value;
  const kinds = (Object.keys(NAMES) as (keyof HiddenFields)[]).filter((kind) => hidden[kind]);
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => !kinds.some((kind) => NAMES[kind].test(name)))
      .map(([name, each]) => [name, withoutFields(each, hidden)]),
  );
}
