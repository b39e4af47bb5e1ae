import { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest, type FastifySchemaCompiler } from 'fastify';
import { type z } from 'zod';
import { type Problem } from '../contracts/api/problem';
import { fieldErrors } from '../contracts/problems';
import { ClockNotSet } from '../runtime/business-clock';
import { ApiError, errorRow, type WrongField } from './errors';
import { isDatabaseOutage, isValueRefused } from './outage';
import { type Page, wantsPage } from './pages/page';

const FRAMEWORK_CODES: Readonly<Record<string, string>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'BodyTooLarge',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'MediaTypeUnsupported',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'JsonMalformed',
  FST_ERR_NOT_FOUND: 'RouteUnknown',
};

/** Every error leaves as a problem (RFC 9457): no stack, no SQL, no text of a library. What is a bug is logged whole, with the request id. */
export function answerWithProblems(app: FastifyInstance): void {
  app.setErrorHandler((error, request, reply) => sendProblem(error, request, reply));
  app.setNotFoundHandler((request, reply) => sendProblem(new ApiError('RouteUnknown', 'no route'), request, reply));
}

/** Sends the problem of an error; also for what fails before a route is found. */
export function sendProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const known = asApiError(error);
  const row = errorRow(known.code);
  if (row === undefined || row.status === 500) request.log.error({ err: error, code: known.code }, 'request failed by a bug');
  else if (row.status === 503) request.log.warn({ code: known.code, err: known.extras.cause }, 'request could not be served');
  const problem = problemOf(known, request);
  const retryAfter = retryAfterSeconds(known);
  if (retryAfter !== undefined) void reply.header('retry-after', retryAfter);
  if (problem.currentTag !== undefined) void reply.header('etag', `"${problem.currentTag}"`);
  if (problem.status === 401) void reply.header('www-authenticate', 'Bearer');
  const page = pageOf(request);
  if (page !== undefined) void reply.headers(page.headers);
  if (page !== undefined && wantsPage(request))
    return reply.code(problem.status).type('text/html; charset=utf-8').send(page.problem(problem));
  return reply
    .code(problem.status)
    .type('application/problem+json')
    .serializer((payload: unknown) => JSON.stringify(payload))
    .send(problem);
}

/** None where the request came to no route. */
function pageOf({ routeOptions }: Partial<Pick<FastifyRequest, 'routeOptions'>>): Page | undefined {
  return routeOptions?.config.page;
}

/** The secret in the address of a link is told nobody, not even to who has it. */
function instanceOf(url: string): string {
  return (url.split('?')[0] ?? '').replace(/^\/decide\/[^/]*/, '/decide/:token');
}

/** The answer of an error, as it is sent and as it is stored for a repeated request. */
export function problemOf(error: ApiError, request: Pick<FastifyRequest, 'id' | 'url'>): Problem {
  const row = errorRow(error.code);
  const bug = row === undefined || row.status === 500;
  const code = bug ? 'InternalError' : error.code;
  const { title, status, action } = errorRow(code) as NonNullable<typeof row>;
  const { errors, inboxEventId, checks, currentTag } = error.extras;
  return {
    type: `https://throughline.dev/problems/${code}`,
    title,
    status,
    code,
    detail: bug ? title : error.detail,
    instance: instanceOf(request.url),
    requestId: request.id,
    action,
    ...(retryAfterSeconds(error) === undefined ? {} : { retryable: true }),
    ...(inboxEventId === undefined ? {} : { inboxEventId }),
    ...(currentTag === undefined ? {} : { currentTag }),
    ...(checks === undefined ? {} : { checks: { ...checks } }),
    ...(errors === undefined || errors.length === 0 ? {} : { errors: [...errors] }),
  };
}

/** What an error means to the caller; whatever nobody named is a bug. */
export function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof WrongInput) return wrongFields(error.faults, placeOf(error));
  if (error instanceof ClockNotSet) return new ApiError('NotReady', 'the simulation has not set the time yet', { cause: error });
  if (isDatabaseOutage(error)) return new ApiError('DatabaseUnavailable', 'the database does not answer', { cause: error });
  if (isValueRefused(error)) return new ApiError('ValueNotStorable', 'a value is out of range', { cause: error });
  const { code = '', statusCode = 500 } = error as Partial<FastifyError>;
  const named = FRAMEWORK_CODES[code];
  if (named !== undefined) return new ApiError(named, errorRow(named)?.title ?? named);
  if (statusCode === 429) return new ApiError('TooManyRequests', 'the limit of requests is reached');
  if (statusCode >= 400 && statusCode < 500) return new ApiError('RequestMalformed', 'the request cannot be read');
  return new ApiError('InternalError', 'unexpected', { cause: error });
}

/** A part of a request that does not fit its schema; Fastify adds which part. */
class WrongInput extends Error {
  readonly validationContext?: string;

  constructor(readonly faults: z.ZodError) {
    super('the request does not fit its schema');
  }
}

/** Validates by zod, with the input kept, so that a missing field is told from a wrong one. */
export const zodValidator: FastifySchemaCompiler<z.ZodType> =
  ({ schema }) =>
  (data: unknown) => {
    const parsed = schema.safeParse(data, { reportInput: true });
    return parsed.success ? { value: parsed.data } : { error: new WrongInput(parsed.error) };
  };

function placeOf({ validationContext }: WrongInput): string {
  return validationContext === 'body' ? '' : `/${validationContext ?? 'request'}`;
}

/** What does not fit a schema, with every wrong field; `prefix` is the pointer of what was looked at. */
export function wrongFields(faults: z.ZodError, prefix: string): ApiError {
  const errors: WrongField[] = fieldErrors(faults, prefix).map(({ pointer, code, message }) => ({ pointer, code, detail: message }));
  return new ApiError('ValidationFailed', `${errors.length} wrong ${errors.length === 1 ? 'field' : 'fields'}`, { errors });
}

function retryAfterSeconds(error: ApiError): number | undefined {
  return error.extras.retryAfterSeconds ?? errorRow(error.code)?.retryAfterSeconds;
}
