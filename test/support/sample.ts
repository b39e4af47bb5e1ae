export interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly format?: string;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly minimum?: number;
}

const FORMATS: Readonly<Record<string, string>> = {
  date: '2026-03-31',
  'date-time': '2026-03-02T10:00:00Z',
  uuid: '11111111-1111-4111-8111-111111111111',
};
const TEXTS = ['L1', '10.00', '10', '2026-03', '2026-03-02', '2026-03-02T10:00:00Z', 'USD', '0'.repeat(64)];

/** The smallest value that a schema of the OpenAPI document takes: what is required, and the first of what may be chosen. */
export function sampleOf(schema: Schema): unknown {
  const choice = schema.anyOf?.[0] ?? schema.oneOf?.[0];
  if (choice !== undefined) return sampleOf(choice);
  if (schema.const !== undefined) return schema.const;
  if (schema.enum !== undefined) return schema.enum[0];
  if (schema.type === 'array') return schema.items === undefined ? [] : [sampleOf(schema.items)];
  if (schema.type === 'boolean') return true;
  if (schema.type === 'number' || schema.type === 'integer') return schema.minimum ?? 1;
  if (schema.type === 'string') return text(schema);
  const fields = (schema.required ?? []).map((name): [string, unknown] => [name, sampleOf(schema.properties?.[name] ?? {})]);
  return Object.fromEntries(fields);
}

function text({ format, pattern, minLength = 1 }: Schema): string {
  const named = FORMATS[format ?? ''];
  if (named !== undefined) return named;
  const wanted = new RegExp(pattern ?? '', 'u');
  return TEXTS.find((each) => each.length >= minLength && wanted.test(each)) ?? 'x'.repeat(minLength);
}
