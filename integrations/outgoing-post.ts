import { request as overHttp, type RequestOptions } from 'node:http';
import { request as overTls } from 'node:https';
import { guardedLookup, hostOf, refuseUrl, type Targets } from './public-address';

export interface Post {
  readonly url: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly targets: Targets;
  /** Bound on the whole exchange. */
  readonly timeoutMs: number;
}

/**
 * Posts JSON and gives null where it was taken (2xx), else a short reason: a status or a code, never an address or a body (I-15). Redirects
 * are not followed, because nobody looked at where they lead; what is answered is not read.
 */
export async function post({ url: text, body, headers, targets, timeoutMs }: Post): Promise<string | null> {
  const refused = refuseUrl(text, targets);
  if (refused !== null) return refused.violation;
  const url = new URL(text);
  const options: RequestOptions = {
    method: 'POST',
    host: hostOf(url),
    port: url.port === '' ? undefined : Number(url.port),
    path: `${url.pathname}${url.search}`,
    headers: {
      host: url.host,
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(body)),
      'user-agent': 'Throughline',
      ...headers,
    },
    lookup: guardedLookup(targets),
    signal: AbortSignal.timeout(timeoutMs),
    agent: false,
  };
  return new Promise((resolve) => {
    const request = url.protocol === 'https:' ? overTls(options) : overHttp(options);
    request.on('response', ({ statusCode = 0 }) => {
      resolve(statusCode >= 200 && statusCode < 300 ? null : `status ${statusCode}`);
      request.destroy();
    });
    request.on('error', (error) => resolve(codeOf(error)));
    request.end(body);
  });
}

function codeOf(error: NodeJS.ErrnoException): string {
  return error.name === 'AbortError' || error.name === 'TimeoutError' ? 'timeout' : (error.code ?? error.name);
}
