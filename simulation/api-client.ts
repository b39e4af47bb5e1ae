/** Answer of the API: status and parsed body. */
export interface ApiAnswer {
  readonly status: number;
  readonly body: unknown;
}

export interface ApiRequest {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly body?: unknown;
  /** Sent as it stands instead of `body`, with its content type. */
  readonly raw?: { readonly text: string; readonly contentType: string };
  /** Makes the request repeatable: derived from the input, so that a repeated play sends the same. */
  readonly idempotencyKey?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Statuses besides 2xx that the caller deals with, but for "it is under way" (409 with Retry-After); any other is thrown. */
  readonly accept?: readonly number[];
}

/** Somebody who can talk to the API. */
export type Caller = (path: string, request?: ApiRequest) => Promise<ApiAnswer>;

export interface ApiClient {
  /** A person, with a token of the development issuer. */
  readonly person: (userId: string) => Caller;
  /** Without authentication, for signed webhooks. */
  readonly anyone: Caller;
}

/** The API refused something that the player expected it to take. */
export class UnexpectedAnswer extends Error {
  override readonly name = 'UnexpectedAnswer';
  constructor(
    readonly request: string,
    readonly answer: ApiAnswer,
  ) {
    super(`${request} was answered ${answer.status}: ${JSON.stringify(answer.body).slice(0, 2000)}`);
  }
}

const RETRIED = [429, 502, 503, 504];
const MOST_ATTEMPTS = 20;

export interface ApiClientOptions {
  /** How often one request is sent before its failure is the caller's; default 20. */
  readonly mostAttempts?: number;
  /** Learns of every answer after which a request is sent again: the status, or what was said instead of one. */
  readonly onAgain?: (path: string, answered: string) => void;
}

/**
 * Talks to the API over HTTP as a client would: repeats with the same key what was answered with "later" (429, 503, 409 with
 * Retry-After) or not at all, and fetches tokens of the development issuer as needed.
 */
export function apiClient(baseUrl: string, { mostAttempts = MOST_ATTEMPTS, onAgain = () => undefined }: ApiClientOptions = {}): ApiClient {
  const tokens = new Map<string, Promise<string>>();
  const ask = (path: string, request: ApiRequest, extra: Record<string, string>): Promise<ApiAnswer> =>
    send({ baseUrl, mostAttempts, onAgain }, path, request, extra);
  const anyone: Caller = (path, request = {}) => ask(path, request, {});
  const fetchToken = async (userId: string): Promise<string> => {
    const { body } = await anyone('/v1/dev/token', { method: 'POST', body: { userId } });
    return (body as { token: string }).token;
  };
  const person = (userId: string): Caller => {
    return async (path, request = {}) => {
      const known = tokens.get(userId) ?? fetchToken(userId);
      tokens.set(userId, known);
      const answer = await ask(path, { ...request, accept: [...(request.accept ?? []), 401] }, await bearer(known));
      if (answer.status !== 401) return answer;
      tokens.set(userId, fetchToken(userId));
      return ask(path, request, await bearer(tokens.get(userId) ?? known));
    };
  };
  return { person, anyone };
}

async function bearer(token: Promise<string>): Promise<Record<string, string>> {
  return { authorization: `Bearer ${await token}` };
}

async function send(
  { baseUrl, mostAttempts, onAgain }: Required<ApiClientOptions> & { readonly baseUrl: string },
  path: string,
  request: ApiRequest,
  extra: Record<string, string>,
): Promise<ApiAnswer> {
  const method = request.method ?? 'GET';
  const contentType = request.raw?.contentType ?? (request.body === undefined ? undefined : 'application/json');
  const headers = {
    ...extra,
    ...(contentType === undefined ? {} : { 'content-type': contentType }),
    ...(request.idempotencyKey === undefined ? {} : { 'idempotency-key': request.idempotencyKey }),
    ...request.headers,
  };
  const body = request.raw?.text ?? (request.body === undefined ? null : JSON.stringify(request.body));
  for (let attempt = 1; ; attempt += 1) {
    const last = attempt === mostAttempts;
    try {
      const response = await fetch(`${baseUrl}${path}`, { method, headers, body });
      const answer = { status: response.status, body: parsed(await response.text()) };
      const retryAfter = Number(response.headers.get('retry-after') ?? Number.NaN);
      const underWay = response.status === 409 && !Number.isNaN(retryAfter);
      if (!underWay && (response.ok || request.accept?.includes(response.status))) return answer;
      if (!(underWay || RETRIED.includes(response.status)) || last) throw new UnexpectedAnswer(`${method} ${path}`, answer);
      onAgain(path, `${answer.status} ${codeOf(answer) ?? ''}`);
      await pause(Math.min(1000 * (Number.isNaN(retryAfter) ? 1 : retryAfter), 3000));
    } catch (error) {
      if (error instanceof UnexpectedAnswer || last) throw error;
      onAgain(path, String(error));
      await pause(250);
    }
  }
}

/** The stable code of a problem document; undefined where the answer is none. */
export function codeOf({ body }: ApiAnswer): string | undefined {
  return (body as { code?: string } | null)?.code;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
