import { type Random } from './random';

/** JSON as it is written, where no value of ours could stand for it. */
export class Written {
  constructor(readonly text: string) {}
}

const LONG = 'x'.repeat(20_000);

/** Values that a field may hold and must not believe. */
const ANY: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -1,
  1,
  0.1,
  -0,
  2 ** 31,
  2 ** 53,
  -(2 ** 63),
  1e21,
  1e308,
  new Written('1e999'),
  new Written('123456789012345678901234567890'),
  new Written('-0.0000000000000000000000001'),
  new Written('"\\ud800"'),
  new Written('"\\u0000"'),
  new Written('{"__proto__":{"isAdmin":true}}'),
  new Written('{"a":1,"a":2}'),
  new Written('NaN'),
  new Written('01'),
  '',
  ' ',
  'null',
  '0',
  '-1',
  '1e3',
  '99999999999999999999999999.99',
  '0.00000000000000000001',
  '1,000.00',
  '١٢٣',
  '½',
  LONG,
  'a\tb\nc\r\n',
  '\u202Eevil\u202C',
  'e\u0301\u0301\u0301',
  '👩‍👩‍👧‍👦',
  '\uFEFFbom',
  "'; drop table deal; --",
  '" or 1=1 --',
  '${7*7}{{7*7}}<%= 7*7 %>',
  '=cmd|calc',
  '<script>alert(1)</script>',
  '../../../../etc/passwd',
  '%2e%2e%2f',
  '00000000-0000-0000-0000-000000000000',
  'not-a-uuid',
  'U-PMO',
  'LE-US',
  'USD',
  'XXX',
  'usd',
  '2026-02-30',
  '2026-04-01',
  '0000-00-00',
  '9999-12-31',
  '+275760-09-13',
  '2026-03-02T25:61:61Z',
  '2026-03-02T15:00:00.123456789+14:00',
  '2199-12-31T23:59:59Z',
  'constructor',
  'toString',
  [],
  {},
  [[]],
  [null],
  { constructor: { prototype: { isAdmin: true } } },
  Array.from({ length: 3000 }, () => 0),
];

export function anyValue(random: Random): unknown {
  return random.happens(0.05) ? deep(random) : random.pick(ANY);
}

export function anyText(random: Random): string {
  const texts = ANY.filter((value): value is string => typeof value === 'string');
  return random.pick(texts);
}

export const SURPLUS_FIELDS = [
  'extra',
  '__proto__',
  'constructor',
  'prototype',
  'id',
  'role',
  'by',
  'at',
  '$where',
  'toJSON',
  '',
  'ünïcode',
] as const;

function deep(random: Random): Written {
  const levels = random.pick([20, 31, 33, 200, 50_000]);
  return new Written(random.happens(0.5) ? '['.repeat(levels) + ']'.repeat(levels) : `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`);
}

/** JSON text of a value in which `Written` stands as it is. */
export function writeJson(value: unknown): string {
  if (value instanceof Written) return value.text;
  if (Array.isArray(value)) return `[${value.map(writeJson).join(',')}]`;
  if (typeof value === 'object' && value !== null)
    return `{${Object.entries(value)
      .map(([key, each]) => `${JSON.stringify(key)}:${writeJson(each)}`)
      .join(',')}}`;
  return JSON.stringify(value) ?? 'null';
}
