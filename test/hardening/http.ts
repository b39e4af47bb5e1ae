import { Agent, request as httpRequest, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http';

/** A request as it goes over the wire; the path is sent as it stands. */
export interface Sent {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: Buffer | null;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** Parsed JSON; null for anything else. */
  readonly body: unknown;
}

/** Nobody was answered in time, or the connection broke before there was an answer. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
}

const agent = new Agent({ keepAlive: true, maxSockets: 32 });

/** Sends one request and waits for its whole answer, for a bounded time. */
export function exchange(baseUrl: string, sent: Sent, timeoutMs: number): Promise<Answer> {
  const { hostname, port } = new URL(baseUrl);
  const { method, path, body } = sent;
  const headers: OutgoingHttpHeaders = { ...sent.headers } as OutgoingHttpHeaders;
  if (body !== null && headers['transfer-encoding'] === undefined) headers['content-length'] ??= String(body.length);
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(timeoutMs);
    const request = httpRequest({ agent, hostname, port, method, path, headers, signal }, (response) => {
      const pieces: Buffer[] = [];
      response.on('data', (piece: Buffer) => pieces.push(piece));
      response.once('error', (error) => reject(new NoAnswer(`the answer broke off: ${error.message}`)));
      response.once('end', () => {
        const text = Buffer.concat(pieces).toString('utf8');
        const isJson = (response.headers['content-type'] ?? '').includes('json');
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text, body: isJson ? parsed(text) : null });
      });
    });
    request.once('error', (error) => reject(new NoAnswer(`${method} ${path.slice(0, 200)}: ${error.message}`)));
    request.end(body ?? undefined);
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
