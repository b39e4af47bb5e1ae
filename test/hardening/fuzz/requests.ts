import { gzipSync } from 'node:zlib';
import { type Sent } from '../http';
import { brokenBytes, mutatedCsv, mutatedJson, mutatedXml } from './bodies';
import { type Random } from './random';
import { anyText } from './values';

type Change = (sent: Sent, random: Random) => Sent;

/** A valid request with one thing changed; every other time two. */
export function mutated(sent: Sent, random: Random): Sent {
  const first = changeOf(sent, random)(sent, random);
  return random.happens(0.3) ? changeOf(first, random)(first, random) : first;
}

function changeOf(sent: Sent, random: Random): Change {
  if (sent.body !== null && random.happens(0.55)) return changedBody;
  return random.pick([inPath, inPath, inQuery, inQuery, inHeaders, inHeaders, inHeaders, otherMethod, otherBody]);
}

const changedBody: Change = (sent, random) => {
  const { body } = sent;
  if (body === null || random.happens(0.15)) return { ...sent, body: brokenBytes(body ?? Buffer.alloc(0), random) };
  const type = String(sent.headers['content-type'] ?? '');
  const text = body.toString('utf8');
  if (type.includes('xml')) return { ...sent, body: mutatedXml(text, random) };
  if (type.includes('csv')) return { ...sent, body: mutatedCsv(text, random) };
  return { ...sent, body: mutatedJson(text, random) };
};

/** A part of the address becomes something else. Node sends no spaces and no bytes above 7f in an address; what they mean is encoded. */
const inPath: Change = (sent, random) => {
  const [address = '', query] = sent.path.split('?');
  const parts = address.split('/');
  const index = 1 + random.below(Math.max(1, parts.length - 1));
  const part = random.pick([
    '00000000-0000-0000-0000-000000000000',
    'NOT-A-UUID',
    '%00',
    '%2e%2e%2f%2e%2e%2fetc%2fpasswd',
    '..',
    '.',
    '%ff%fe',
    '%E0%A4%A',
    '%',
    '',
    ';a=b',
    '%0d%0aset-cookie:%20a=b',
    'x'.repeat(random.pick([100, 401, 8000])),
    '__proto__',
    'constructor',
    '*',
    ':id',
    encoded(anyText(random), 200),
  ]);
  const path = parts.with(index, part).join('/');
  return { ...sent, path: query === undefined ? path : `${path}?${query}` };
};

const inQuery: Change = (sent, random) => {
  const name = random.pick([
    'limit',
    'cursor',
    'state',
    'dealId',
    'asOf',
    'entityId',
    'stream',
    'extra',
    '__proto__',
    'limit[]',
    'token',
    'kind',
  ]);
  const value = random.pick([
    '0',
    '-1',
    '201',
    '1e9',
    '1.5',
    'Infinity',
    '',
    'true',
    tampered(random),
    tampered(random),
    encoded(anyText(random), 400),
    'x'.repeat(6000),
    '%00',
    '%ff',
    '2026-02-30',
    '0001-01-01',
    '[object%20Object]',
  ]);
  const [address = '', query = ''] = sent.path.split('?');
  const twice = random.happens(0.2) ? `&${name}=${value}` : '';
  return { ...sent, path: `${address}?${[query, `${name}=${value}`].filter((part) => part !== '').join('&')}${twice}` };
};

/** Cut between characters, because half of one cannot be encoded. */
function encoded(text: string, most: number): string {
  return encodeURIComponent([...text].slice(0, most).join(''));
}

/** Something that looks like a cursor of ours. */
function tampered(random: Random): string {
  const parts: readonly unknown[] = [
    '2026-03-02T15:00:00.000Z',
    '9999-99-99T99:99:99Z',
    '00000000-0000-0000-0000-000000000000',
    'infinity',
    '-infinity',
    '999999999999999',
    '2026-02-31',
    "' or 1=1",
    null,
    1,
    {},
    'x'.repeat(280),
    '',
  ];
  const cursor = Array.from({ length: 1 + random.below(4) }, () => random.pick(parts));
  return Buffer.from(JSON.stringify(random.happens(0.1) ? { length: 2 } : cursor)).toString('base64url');
}

const HEADERS: readonly (readonly [name: string, values: readonly (string | readonly string[])[]])[] = [
  ['idempotency-key', ['', ' ', 'x'.repeat(201), 'é', 'a\tb', 'k', ['a', 'b'], '\u0080']],
  ['if-match', ['*', '"x"', 'W/"x"', 'x', '', '"', '"a", "b"', '"' + 'x'.repeat(4000) + '"', ['"a"', '"b"']]],
  ['if-none-match', ['*', '"x"', 'W/"x"', ',', 'x'.repeat(5000)]],
  [
    'authorization',
    [
      '',
      'Bearer',
      'Bearer ',
      'Basic dTpw',
      'Bearer a.b.c',
      'Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJVLVBNTyJ9.',
      `Bearer tlk_${'B'.repeat(43)}`,
      'bearer x y',
      'Bearer ' + 'x'.repeat(6000),
    ],
  ],
  [
    'content-type',
    [
      '',
      'text/plain',
      'application/json; charset=utf-16',
      'application/json;',
      'multipart/form-data; boundary=x',
      'application/xml',
      'text/csv',
      'application/x-www-form-urlencoded',
      'application/json, text/plain',
      'json',
      'application/vnd.api+json',
      'text/csv; charset=latin1',
    ],
  ],
  ['content-encoding', ['gzip', 'br', 'deflate', 'identity', 'gzip, gzip', 'x']],
  ['accept', ['text/html', 'application/xml', '', '*/*;q=0', 'x'.repeat(3000)]],
  ['accept-encoding', ['gzip', 'br;q=1.0', '*']],
  ['origin', ['https://evil.example', 'null']],
  ['host', ['evil.example', '', 'localhost:1']],
  ['x-forwarded-for', ['1.2.3.4', "'", 'x'.repeat(2000)]],
  ['x-http-method-override', ['DELETE']],
  ['x-request-id', ['mine', '\u0080']],
  ['cookie', ['__proto__=1', 'a=b; a=c']],
  ['range', ['bytes=0-0', 'bytes=5-1', 'bytes=-99999999999999999999']],
  ['expect', ['100-continue']],
  ['te', ['trailers, deflate']],
  ['upgrade', ['websocket']],
  ['webhook-signature', ['v1,x', '', 'v1,' + 'A'.repeat(44)]],
  ['webhook-timestamp', ['0', 'now', '99999999999999', '-1']],
  ['x-hubspot-signature-v3', ['', 'x']],
  ['x-hubspot-request-timestamp', ['0', 'NaN', '1e300']],
];

const inHeaders: Change = (sent, random) => {
  const [name, values] = random.pick(HEADERS);
  return { ...sent, headers: { ...sent.headers, [name]: random.pick(values) } };
};

const otherMethod: Change = (sent, random) => ({
  ...sent,
  method: random.pick(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'TRACE', 'PROPFIND', 'LOCK']),
});

const otherBody: Change = (sent, random) =>
  random.pick<() => Sent>([
    () => ({
      ...sent,
      body: sent.body === null ? Buffer.from('{"a":1}') : null,
      headers: { ...sent.headers, 'content-type': 'application/json' },
    }),
    () => ({ ...sent, body: gzipSync(sent.body ?? Buffer.alloc(100_000)), headers: { ...sent.headers, 'content-encoding': 'gzip' } }),
    () => ({ ...sent, headers: { ...sent.headers, 'transfer-encoding': 'chunked' } }),
    () => ({ ...sent, body: Buffer.from('a=b&c=d'), headers: { ...sent.headers, 'content-type': 'application/x-www-form-urlencoded' } }),
  ])();
