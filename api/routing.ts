import { type FastifyInstance, type FastifyRequest, type RouteHandlerMethod, type RouteOptions } from 'fastify';
import { type ZodTypeProvider } from 'fastify-type-provider-zod';
import { uuidv7 } from 'uuidv7';
import { z } from 'zod';
import { type FastifyBaseLogger, type RawReplyDefaultExpression, type RawRequestDefaultExpression, type RawServerDefault } from 'fastify';
import { problemSchema } from '../contracts/api/problem';
import { type KeptLink } from '../db/decision-links';
import { type Permission, type Scope } from '../domain/access';
import { authenticate } from './auth/authenticate';
import { personOfLink } from './auth/link';
import { type Principal, principalName, scopeOf } from './auth/principal';
import { type Tokens } from './auth/tokens';
import { type ApiDeps } from './deps';
import { ApiError } from './errors';
import { once } from './idempotency';
import { type Page } from './pages/page';
import { type Access, routeAccess } from './permissions';
import { type SignIns } from './rates';

/** The Fastify instance that routes are declared on: bodies and answers are typed by their zod schemas. */
export type Api = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  ZodTypeProvider
>;

declare module 'fastify' {
  interface FastifyRequest {
    /** Set on every route that asks for somebody. */
    principal: Principal;
    /** Where the principal holds what the route asks for; every read and write of the route is bound to it. */
    scope: Scope;
    /** Set on the routes of a link. */
    link: KeptLink;
  }
  interface FastifyContextConfig {
    /** False where an answer must not be stored, because it holds a secret; `by-route` where the route stores it itself. */
    storeAnswer?: boolean | 'by-route';
    /** True where the body is read while it comes, however long that takes. */
    streamed?: boolean;
    /** The answer carries an ETag, and 304 is an answer. */
    tagged?: boolean;
    /** The page that a browser is shown in the place of a problem, and what goes with every answer of such a route. */
    page?: Page;
    /** What If-Match does on this route. */
    ifMatch?: 'optional' | 'required';
  }
  interface FastifySchema {
    hide?: boolean;
    summary?: string;
    description?: string;
    tags?: readonly string[];
    consumes?: readonly string[];
    security?: readonly Record<string, readonly string[]>[];
    'x-permission'?: string;
  }
}

/** Refusals that any route can give; 4xx of a route's own subject are among them. */
const PROBLEMS: Readonly<Record<number, string>> = {
  400: 'The request is malformed',
  401: 'Nobody is signed in, or the signature does not fit',
  403: 'Not allowed',
  404: 'Unknown, or not for the caller',
  409: 'In conflict with what is so by now',
  410: 'Withdrawn or expired',
  413: 'The body is larger than 1 MiB',
  415: 'The media type is not read here',
  422: 'Refused by a rule',
  429: 'Too many requests',
  500: 'A bug',
  503: 'Not now; repeat the same request',
};

/** Only where the route looks at a version. */
const PRECONDITION_PROBLEMS: Readonly<Record<number, string>> = {
  412: 'Changed since it was read; currentTag is its ETag now',
  428: 'If-Match is needed here',
};

/**
 * Gives every route what all have in common, by its row in the table of rights: authentication, permission and scope before the body is
 * read, stored answers of repeated requests, problems in the documentation. A route without a row does not start.
 */
export function guardRoutes(app: FastifyInstance, deps: ApiDeps, tokens: Tokens, signIns: SignIns): void {
  app.decorateRequest('principal');
  app.decorateRequest('scope');
  app.decorateRequest('link');
  app.decorateRequest('evaluation');
  app.addHook('onRoute', (route) => {
    if (route.url.startsWith('/docs')) return;
    const access = accessOf(route);
    describe(route, access);
    if (access.kind === 'public' || access.kind === 'signature') return;
    if (access.kind === 'link') {
      route.onRequest = [...[route.onRequest ?? []].flat(), (request) => admitByLink(deps, signIns, request)];
      return;
    }
    route.onRequest = [...[route.onRequest ?? []].flat(), (request) => admit(deps, tokens, signIns, access, request)];
    if (route.method !== 'GET' && (route.config?.storeAnswer ?? true) === true) route.handler = repeatable(deps, route.handler);
  });
}

function accessOf(route: RouteOptions): Access {
  const name = `${String(route.method)} ${route.url}`;
  const access = Object.hasOwn(routeAccess, name) ? routeAccess[name] : undefined;
  if (access === undefined) throw new Error(`${name} has no row in the table of rights (api/permissions.ts)`);
  return access;
}

async function admit(deps: ApiDeps, tokens: Tokens, signIns: SignIns, access: Access, request: FastifyRequest): Promise<void> {
  request.principal = await signedIn(deps, tokens, signIns, request);
  request.log = request.log.child({ principal: principalName(request.principal) });
  if (access.kind !== 'permission') return;
  const scope = scopeOf(request.principal, access.anyOf);
  if (scope === null) throw new ApiError('PermissionMissing', `asks for ${access.anyOf.join(' or ')}`);
  if (access.reach === 'group' && scope.kind !== 'group')
    throw new ApiError('ScopeTooSmall', `asks for ${access.anyOf.join(' or ')} in the group`);
  request.scope = scope;
}

/** Whoever has the link is the person it was sent to, with the rights of that person, for one decision. */
async function admitByLink(deps: ApiDeps, signIns: SignIns, request: FastifyRequest): Promise<void> {
  const { link, principal } = await known(signIns, request, () => personOfLink(deps, request));
  Object.assign(request, { link, principal, evaluation: uuidv7() });
  request.log = request.log.child({ principal: principalName(principal) });
  const scope = scopeOf(principal, ['approval.decide']);
  if (scope === null) throw new ApiError('PermissionMissing', 'asks for approval.decide');
  request.scope = scope;
}

async function signedIn(deps: ApiDeps, tokens: Tokens, signIns: SignIns, request: FastifyRequest): Promise<Principal> {
  const principal = await known(signIns, request, () => authenticate(deps, tokens, request));
  signIns.succeeded(request);
  return principal;
}

/** A credential that is no good counts as a failed sign-in of its address; none at all is no attempt. */
async function known<T>(signIns: SignIns, request: FastifyRequest, look: () => Promise<T>): Promise<T> {
  try {
    return await look();
  } catch (error) {
    if (error instanceof ApiError && NO_GOOD.has(error.code)) await signIns.failed(request);
    throw error;
  }
}

const NO_GOOD: ReadonlySet<string> = new Set(['TokenInvalid', 'ApiKeyInvalid', 'LinkUnknown']);

/** Where the caller may see a field that has a right of its own; null is nowhere. */
export function fieldScope(request: FastifyRequest, permission: Permission): Scope | null {
  return scopeOf(request.principal, [permission]);
}

function repeatable(deps: ApiDeps, handler: RouteHandlerMethod): RouteHandlerMethod {
  return function (this: FastifyInstance, request, reply) {
    return once(deps.db, request, reply, async (): Promise<unknown> => handler.call(this, request, reply));
  };
}

function describe(route: RouteOptions, access: Access): void {
  const schema = (route.schema ??= {});
  schema['x-permission'] = access.kind === 'permission' ? access.anyOf.join(' | ') : access.kind;
  const signsIn = access.kind === 'permission' || access.kind === 'signed-in';
  schema.security = signsIn ? [{ person: [] }, { integration: [] }] : [];
  const { ifMatch, tagged = false, storeAnswer = true } = route.config ?? {};
  const repeated = route.method !== 'GET' && storeAnswer !== false && signsIn;
  const headers = {
    ...(repeated ? { 'idempotency-key': HEADERS.idempotencyKey } : {}),
    ...(ifMatch === undefined ? {} : { 'if-match': HEADERS.ifMatch[ifMatch] }),
    ...(tagged ? { 'if-none-match': HEADERS.ifNoneMatch } : {}),
  };
  if (Object.keys(headers).length > 0) schema.headers = z.looseObject(headers);
  const own = (schema.response ?? {}) as Record<string, unknown>;
  const problems = Object.entries({ ...PROBLEMS, ...(ifMatch === undefined ? {} : PRECONDITION_PROBLEMS) }).map(([status, description]) => [
    status,
    { description, content: { 'application/problem+json': { schema: problemSchema }, ...(access.kind === 'link' ? PROBLEM_PAGE : {}) } },
  ]);
  const unchanged = tagged ? { 304: z.null().describe('If-None-Match names what would be answered') } : {};
  schema.response = { ...Object.fromEntries(problems), ...unchanged, ...own };
}

const PROBLEM_PAGE = { 'text/html': { schema: z.string().describe('For who asks for HTML') } };

/** For the documentation: what is in them is looked at where they are used. */
const HEADERS = {
  idempotencyKey: z
    .string()
    .optional()
    .meta({ minLength: 1, maxLength: 200, pattern: '^[\\x20-\\x7e]+$' })
    .describe('1 to 200 printable characters; the same request with the same key has one effect and one answer'),
  ifMatch: {
    optional: z.string().optional().describe('ETag of what the change is based on; 412 where it has changed'),
    required: z.string().optional().describe('Required: ETag of what is replaced, or * for whatever stands there'),
  },
  ifNoneMatch: z.string().optional().describe('ETag of what the caller has; 304 where it still stands'),
};
