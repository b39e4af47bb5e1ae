/**
 * The CRM cannot answer now: network, time-out, 429, 5xx, or a rejected token (a person renews it). An outage, so it is thrown and
 * retried (DESIGN §9); `retryAfterSeconds` is what the CRM asked for. The message holds no token and no personal data.
 */
export class CrmUnavailable extends Error {
  constructor(
    readonly system: string,
    readonly status: number | null,
    detail: string,
    readonly retryAfterSeconds: number | null = null,
  ) {
    super(`${system} is unavailable: ${detail}`);
    this.name = 'CrmUnavailable';
  }
}

export interface CrmConnection {
  /** Without a path, for example `https://api.hubapi.com`. */
  readonly baseUrl: string;
  readonly accessToken: string;
  /** Bound on one request with its body; 10 seconds unless given. */
  readonly timeoutMs?: number;
}

export interface CrmAnswer {
  readonly status: number;
  readonly body: unknown;
}

const MAX_ANSWER_BYTES = 10 * 1024 * 1024;

/**
 * One JSON request with the bearer token. Answers of 2xx, and of 4xx that a repetition would not change, are returned; everything else
 * is thrown as `CrmUnavailable`. Redirects are not followed, so that the token stays with the configured host.
 */
export async function requestJson(system: string, connection: CrmConnection, path: string, body?: unknown): Promise<CrmAnswer> {
  const response = await send(system, connection, path, body);
  if (
    response.status < 200 ||
    [401, 403, 408, 425, 429].includes(response.status) ||
    response.status >= 500 ||
    (response.status >= 300 && response.status < 400)
  ) {
    await response.body?.cancel();
    throw new CrmUnavailable(system, response.status, `status ${response.status}`, retryAfter(response));
  }
  const text = await readBounded(system, response);
  try {
    return { status: response.status, body: text === '' ? null : (JSON.parse(text) as unknown) };
  } catch {
    if (response.status >= 400) return { status: response.status, body: null };
    throw new CrmUnavailable(system, response.status, 'the answer is not JSON');
  }
}

async function send(system: string, connection: CrmConnection, path: string, body: unknown): Promise<Response> {
  try {
    return await fetch(new URL(path, connection.baseUrl), {
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        authorization: `Bearer ${connection.accessToken}`,
        accept: 'application/json',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      redirect: 'manual',
      signal: AbortSignal.timeout(connection.timeoutMs ?? 10_000),
    });
  } catch (error) {
    throw new CrmUnavailable(system, null, describe(error));
  }
}

async function readBounded(system: string, response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
      size += chunk.length;
      if (size > MAX_ANSWER_BYTES) break;
      chunks.push(chunk);
    }
  } catch (error) {
    throw new CrmUnavailable(system, response.status, describe(error));
  }
  if (size > MAX_ANSWER_BYTES) throw new CrmUnavailable(system, response.status, 'the answer is too large');
  return Buffer.concat(chunks).toString('utf8');
}

/** Seconds of `Retry-After`, bounded to an hour; dates are not sent by the CRMs we speak to. */
function retryAfter(response: Response): number | null {
  const value = response.headers.get('retry-after') ?? '';
  return /^\d{1,6}$/.test(value) ? Math.min(Number(value), 3600) : null;
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return 'the connection failed';
  if (error.name === 'TimeoutError') return 'no answer in time';
  const cause: unknown = error.cause;
  return cause instanceof Error && 'code' in cause ? String(cause.code) : 'the connection failed';
}
