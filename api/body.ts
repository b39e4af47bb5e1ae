import { type FastifyInstance, type FastifyRequest } from 'fastify';
import { ApiError } from './errors';

declare module 'fastify' {
  interface FastifyRequest {
    /** The body exactly as it came: signatures and request hashes are over these bytes. */
    rawBody: Buffer;
  }
}

/** Bodies larger than this are refused before they are read (413). */
export const BODY_LIMIT_BYTES = 1024 * 1024;
const MAX_DEPTH = 32;
/** A body that is read as a whole is in after so long, or its connection ends. */
const BODY_TIMEOUT_MS = 30_000;
/** A file that is read while it comes has longer. */
export const FILE_TIMEOUT_MS = 900_000;

/** Reads JSON bodies within limits and keeps their bytes; XML bodies stay bytes. Any other media type is 415. */
export function readBodies(app: FastifyInstance): void {
  app.decorateRequest('rawBody');
  app.addHook('onRequest', (request, _reply, done) => {
    request.rawBody = Buffer.alloc(0);
    if (request.routeOptions.config.streamed !== true) endSlowBody(request);
    if (request.headers.host === undefined && request.raw.httpVersion !== '1.0')
      return done(new ApiError('RequestMalformed', 'a request names its Host'));
    if (/%00/i.test(request.url)) return done(new ApiError('TextNotStorable', 'the address holds a null character'));
    done();
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(/^application\/(?:[\w.+-]+\+)?json\b/, { parseAs: 'buffer' }, (request, body, done) => {
    request.rawBody = body as Buffer;
    try {
      done(null, body.length === 0 ? undefined : parseJson(body as Buffer));
    } catch (error) {
      done(error as Error, undefined);
    }
  });
  app.addContentTypeParser(/^(?:application|text)\/xml\b/, { parseAs: 'buffer' }, (request, body, done) => {
    request.rawBody = body as Buffer;
    done(null, body);
  });
}

/** Nobody holds a connection by sending a body byte by byte. */
function endSlowBody({ raw }: FastifyRequest): void {
  if (raw.complete || raw.method === 'GET') return;
  const timer = setTimeout(() => {
    if (!raw.complete) raw.destroy();
  }, BODY_TIMEOUT_MS);
  timer.unref();
  raw.once('end', () => clearTimeout(timer)).once('close', () => clearTimeout(timer));
}

/** JSON of a bounded depth whose texts Postgres can store; throws `ApiError`. */
export function parseJson(body: Buffer): unknown {
  const text = body.toString('utf8');
  if (!Buffer.from(text, 'utf8').equals(body)) throw new ApiError('JsonMalformed', 'the body is not UTF-8');
  if (depthOf(body) > MAX_DEPTH) throw new ApiError('JsonTooDeep', `more than ${MAX_DEPTH} levels`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new ApiError('JsonMalformed', 'the body is not JSON');
  }
  refuseUnstorable(value);
  return value;
}

/** The fields of a form as a browser sends it, in UTF-8; of a field that comes twice the last. Throws `ApiError`. */
export function parseForm(body: Buffer): Record<string, string> {
  const fields = Object.fromEntries(new URLSearchParams(body.toString('utf8')));
  refuseUnstorable(fields);
  return fields;
}

/** Counted in the bytes, so that nothing is built from a body that is too deep. */
function depthOf(body: Buffer): number {
  let depth = 0;
  let deepest = 0;
  let inText = false;
  for (let index = 0; index < body.length; index += 1) {
    const byte = body[index];
    if (inText) {
      if (byte === 0x5c) index += 1;
      else if (byte === 0x22) inText = false;
    } else if (byte === 0x22) inText = true;
    else if (byte === 0x7b || byte === 0x5b) deepest = Math.max(deepest, (depth += 1));
    else if (byte === 0x7d || byte === 0x5d) depth -= 1;
  }
  return deepest;
}

function refuseUnstorable(value: unknown): void {
  if (typeof value === 'string' && /\0|\p{Surrogate}/u.test(value))
    throw new ApiError('TextNotStorable', 'null character or broken surrogate');
  if (typeof value === 'number' && !Number.isFinite(value)) throw new ApiError('JsonMalformed', 'a number is beyond what a number can be');
  if (typeof value !== 'object' || value === null) return;
  for (const [key, each] of Object.entries(value)) {
    if (key === '__proto__') throw new ApiError('JsonMalformed', 'a field must not be called __proto__');
    if (!Array.isArray(value)) refuseUnstorable(key);
    refuseUnstorable(each);
  }
}
