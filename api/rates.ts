import { createHash } from 'node:crypto';
import { isIPv4, isIPv6 } from 'node:net';
import rateLimit from '@fastify/rate-limit';
import { type FastifyInstance, type FastifyRequest } from 'fastify';
import { type ApiDeps } from './deps';
import { ApiError } from './errors';

/** What the sign-in tells of each credential, so that rates count for whom they should. */
export interface SignIns {
  /** From now on this credential has a rate of its own, wherever it comes from. */
  succeeded(request: FastifyRequest): void;
  /** Counts against the address; throws `TooManyRequests` beyond its limit. */
  failed(request: FastifyRequest): Promise<void>;
}

/** Asked all the time by whoever keeps the process alive: neither logged nor limited. */
export const HEALTH: ReadonlySet<string> = new Set(['/livez', '/readyz', '/metrics']);

const MINUTE_MS = 60_000;
const MOST_REMEMBERED = 10_000;

/**
 * Limits rates in this process. A credential counts for itself once it was found good; until then, and without one, the address counts
 * (behind a trusted proxy the one that it names), so that made-up tokens share one rate however often they change. Failed sign-ins of an
 * address have a smaller limit of their own. It never keeps a good credential out: each one is looked at before it is told to wait, and a
 * credential that was good is not counted for its address any more.
 */
export async function limitRates(app: FastifyInstance, deps: ApiDeps): Promise<SignIns> {
  const good = new Remembered(MOST_REMEMBERED);
  await app.register(rateLimit, {
    max: deps.requestsPerMinute ?? 6000,
    timeWindow: MINUTE_MS,
    keyGenerator: (request) => {
      const credential = credentialOf(request);
      return credential !== null && good.has(credential) ? `credential ${credential}` : addressOf(request);
    },
    allowList: (request) => HEALTH.has(request.routeOptions.url ?? ''),
    errorResponseBuilder: (_request, { ttl }) => tooMany('the limit of requests is reached', ttl),
  });
  const countFailure = app.createRateLimit({
    max: deps.failedSignInsPerMinute ?? 60,
    timeWindow: MINUTE_MS,
    keyGenerator: (request) => `failed ${addressOf(request)}`,
  });
  return {
    succeeded: (request) => {
      const credential = credentialOf(request);
      if (credential !== null) good.add(credential);
    },
    failed: async (request) => {
      const credential = credentialOf(request);
      if (credential !== null) good.delete(credential);
      const counted = await countFailure(request);
      if (!counted.isAllowed && counted.isExceeded) throw tooMany('too many failed sign-ins from this address', counted.ttl);
    },
  };
}

function tooMany(detail: string, ttlMs: number): ApiError {
  return new ApiError('TooManyRequests', detail, { retryAfterSeconds: Math.max(1, Math.ceil(ttlMs / 1000)) });
}

/** Never as it is. */
function credentialOf({ headers }: FastifyRequest): string | null {
  const { authorization } = headers;
  return authorization === undefined ? null : createHash('sha256').update(authorization).digest('base64url');
}

function addressOf({ ip }: FastifyRequest): string {
  return networkOf(ip);
}

/** An IPv4 address, or the /64 of an IPv6 one, within which one caller has as many addresses as it likes. */
export function networkOf(ip: string): string {
  const mapped = /^::ffff:(.+)$/i.exec(ip)?.[1];
  if (mapped !== undefined && isIPv4(mapped)) return mapped;
  if (!isIPv6(ip)) return ip;
  const [left = '', right] = (ip.split('%')[0] ?? ip).split('::');
  const groups = (text: string) => (text === '' ? [] : text.split(':'));
  const missing = right === undefined ? 0 : 8 - groups(left).length - groups(right).length;
  const all = [...groups(left), ...Array.from({ length: Math.max(0, missing) }, () => '0'), ...groups(right ?? '')];
  return `${all
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, '').toLowerCase())
    .join(':')}::/64`;
}

/** The texts added last, as many as it may hold. */
class Remembered {
  private readonly texts = new Set<string>();

  constructor(private readonly most: number) {}

  has(text: string): boolean {
    return this.texts.has(text);
  }

  add(text: string): void {
    this.texts.delete(text);
    this.texts.add(text);
    if (this.texts.size <= this.most) return;
    const [oldest] = this.texts;
    if (oldest !== undefined) this.texts.delete(oldest);
  }

  delete(text: string): void {
    this.texts.delete(text);
  }
}
