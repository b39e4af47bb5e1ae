import { connect } from 'node:net';
import { problemSchema } from '../../contracts/api/problem';
import { type Firm } from './firm';
import { type Expectations } from './scenes/scene';

/** What came back over a connection until it ended, or nothing came any more for a while. */
interface Heard {
  readonly text: string;
  readonly ended: boolean;
}

/** Bytes that no HTTP library sends: each is answered once, with a problem, or its connection ends; the server goes on. */
export async function wireTests(firm: Firm, expect: Expectations): Promise<void> {
  const { apiUrl } = firm.installation;
  const host = `Host: ${new URL(apiUrl).host}`;
  const post = (...lines: readonly string[]) =>
    ['POST /v1/dev/token HTTP/1.1', host, 'Content-Type: application/json', ...lines].join('\r\n');
  const smuggled = `GET /v1/smuggled HTTP/1.1\r\n${host}\r\n\r\n`;
  const cases: readonly (readonly [what: string, bytes: string | Buffer])[] = [
    ['two lengths', post('Content-Length: 2', 'Content-Length: 40', '', `{}${smuggled}`)],
    ['length and chunks', post('Content-Length: 4', 'Transfer-Encoding: chunked', '', `0\r\n\r\n${smuggled}`)],
    ['chunks twice', post('Transfer-Encoding: chunked, identity', '', `0\r\n\r\n${smuggled}`)],
    ['a chunk that is no number', post('Transfer-Encoding: chunked', '', 'zz\r\n{}\r\n0\r\n\r\n')],
    ['a length that is no number', post('Content-Length: +2', '', '{}')],
    ['a negative length', post('Content-Length: -1', '', '')],
    ['a folded header', post('X-A: b', ' c', 'Content-Length: 2', '', '{}')],
    ['a space before the colon', post('Content-Length : 2', '', '{}')],
    ['a null in a header', post('X-A: a\0b', 'Content-Length: 2', '', '{}')],
    ['no host', 'GET /v1/me HTTP/1.1\r\n\r\n'],
    ['another protocol', 'GET /v1/me HTTP/9.9\r\n\r\n'],
    ['no HTTP at all', Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03])],
    ['a method that nobody knows', `BREW /v1/me HTTP/1.1\r\n${host}\r\n\r\n`],
    ['an address with spaces', `GET /v1/me me HTTP/1.1\r\n${host}\r\n\r\n`],
    ['headers of 64 KiB', `GET /v1/me HTTP/1.1\r\n${host}\r\nX-A: ${'a'.repeat(65_536)}\r\n\r\n`],
    ['an address of 64 KiB', `GET /v1/${'a'.repeat(65_536)} HTTP/1.1\r\n${host}\r\n\r\n`],
    [
      '2,000 headers',
      `GET /v1/me HTTP/1.1\r\n${host}\r\n${Array.from({ length: 2000 }, (_, index) => `x-${index}: 1`).join('\r\n')}\r\n\r\n`,
    ],
  ];
  for (const [what, bytes] of cases) {
    const heard = await say(apiUrl, bytes, 3000);
    const statuses = [...heard.text.matchAll(/^HTTP\/1\.1 (\d{3})/gm)].map((match) => Number(match[1]));
    expect.that(
      !heard.text.includes('smuggled') && statuses.length <= 1,
      `${what}: answered ${statuses.length} times: ${heard.text.slice(0, 300)}`,
    );
    expect.that(
      statuses.every((status) => status >= 400 && status < 500) && (statuses.length === 1 || heard.ended),
      `${what}: answered ${statuses.join()}`,
    );
    if (statuses.length === 1) told(firm, expect, what, heard.text);
  }
  expect.status(await firm.anyone('GET', '/livez'), 200);
}

/** Nobody holds a connection by sending headers byte by byte: asked at the beginning of a run, answered before its end. */
export function slowHeaders(firm: Firm, expect: Expectations): () => Promise<void> {
  const waiting = say(firm.installation.apiUrl, 'GET /v1/me HTTP/1.1\r\nHost: slow', 150_000, 1000);
  return async () => {
    const heard = await waiting;
    expect.that(heard.ended, 'a connection whose headers never end is ended');
    told(firm, expect, 'slow headers', heard.text);
  };
}

function told(firm: Firm, expect: Expectations, what: string, text: string): void {
  const [head = '', ...rest] = text.split('\r\n\r\n');
  const problem = problemSchema.strict().safeParse(parsed(rest.join('\r\n\r\n')));
  const isProblem = problem.success && /^content-type: application\/problem\+json/im.test(head) && /^x-request-id: /im.test(head);
  expect.that(isProblem, `${what}: no problem: ${text.slice(0, 300)}`);
  if (problem.success) firm.witness.told.set(problem.data.code, firm.witness.told.get(problem.data.code) ?? `(${what})`);
}

/** `drip`: sends one more byte of a header at this interval. */
function say(baseUrl: string, bytes: string | Buffer, patienceMs: number, drip?: number): Promise<Heard> {
  const { hostname, port } = new URL(baseUrl);
  return new Promise((resolve) => {
    const socket = connect({ host: hostname, port: Number(port) });
    const pieces: Buffer[] = [];
    const dripping = drip === undefined ? undefined : setInterval(() => socket.writable && socket.write('a'), drip);
    const end = (ended: boolean): void => {
      clearInterval(dripping);
      clearTimeout(patience);
      socket.destroy();
      resolve({ text: Buffer.concat(pieces).toString('latin1'), ended });
    };
    const patience = setTimeout(() => end(false), patienceMs);
    socket.on('data', (piece) => pieces.push(piece));
    socket.once('close', () => end(true));
    socket.once('error', () => undefined);
    socket.write(bytes);
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
