import { type Socket } from 'node:net';
import { uuidv7 } from 'uuidv7';
import { ApiError } from './errors';
import { problemOf } from './problem';

const CODES: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: 'HeadersTooLarge',
  ERR_HTTP_REQUEST_TIMEOUT: 'RequestTooSlow',
};

/** What every answer carries, where no hook has run that puts it on. */
export const HEADERS_WITHOUT_HOOKS = { 'x-content-type-options': 'nosniff', 'content-security-policy': "default-src 'none'" } as const;

/** Answers what is no HTTP request, has too long headers, or comes too slowly: no route ever sees it, and its connection ends. */
export function answerUnreadable(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const known = new ApiError(CODES[error.code ?? ''] ?? 'RequestMalformed', 'the request cannot be read');
  const requestId = uuidv7();
  const problem = problemOf(known, { id: requestId, url: '' });
  const body = JSON.stringify(problem);
  const head = [
    `HTTP/1.1 ${problem.status} ${problem.title.slice(0, -1)}`,
    'content-type: application/problem+json',
    `content-length: ${Buffer.byteLength(body)}`,
    `x-request-id: ${requestId}`,
    ...Object.entries(HEADERS_WITHOUT_HOOKS).map(([name, value]) => `${name}: ${value}`),
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
