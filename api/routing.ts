import { type FastifyInstance, type FastifyRequest, type RouteHandlerMethod, type RouteOptions } from 'fastify';
import { type ZodTypeProvider } from 'fastify-type-provider-zod';
import { type FastifyBaseLogger, type RawReplyDefaultExpression, type RawRequestDefaultExpression, type RawServerDefault } from 'fastify';
import { problemSchema } from '../contracts/api/problem';
import { type Permission, type Scope } from '../domain/access';
import { authenticate } from './auth/authenticate';
import { type Principal, principalName, scopeOf } from './auth/principal';
import { type Tokens } from './auth/tokens';
import { type ApiDeps } from './deps';
import { ApiError } from './errors';
import { once } from './idempotency';
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
  }
  interface FastifyContextConfig {
    /** False where an answer must not be stored, because it holds a secret. */
    storeAnswer?: boolean;
    /** True where the body is read while it comes, however long that takes. */
    streamed?: boolean;
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

/**
 * Gives every route what all have in common, by its row in the table of rights: authentication, permission and scope before the body is
 * read, stored answers of repeated requests, problems in the documentation. A route without a row does not start.
 */
export function guardRoutes(app: FastifyInstance, deps: ApiDeps, tokens: Tokens, signIns: SignIns): void {
  app.decorateRequest('principal');
  app.decorateRequest('scope');
  app.addHook('onRoute', (route) => {
    if (route.url.startsWith('/docs')) return;
    const access = accessOf(route);
    describe(route, access);
    if (access.kind === 'public' || access.kind === 'signature') return;
    route.onRequest = [...[route.onRequest ?? []].flat(), (request) => admit(deps, tokens, signIns, access, request)];
    if (route.method !== 'GET' && route.config?.storeAnswer !== false) route.handler = repeatable(deps, route.handler);
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

/** A credential that is no good counts as a failed sign-in of its address; none at all is no attempt. */
async function signedIn(deps: ApiDeps, tokens: Tokens, signIns: SignIns, request: FastifyRequest): Promise<Principal> {
  try {
    const principal = await authenticate(deps, tokens, request);
    signIns.succeeded(request);
    return principal;
  } catch (error) {
    if (error instanceof ApiError && NO_GOOD.has(error.code)) await signIns.failed(request);
    throw error;
  }
}

const NO_GOOD: ReadonlySet<string> = new Set(['TokenInvalid', 'ApiKeyInvalid']);

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
  schema.security = access.kind === 'public' || access.kind === 'signature' ? [] : [{ person: [] }, { integration: [] }];
  const own = (schema.response ?? {}) as Record<string, unknown>;
  const problems = Object.entries(PROBLEMS).map(([status, description]) => [
    status,
    { description, content: { 'application/problem+json': { schema: problemSchema } } },
  ]);
  schema.response = { ...Object.fromEntries(problems), ...own };
}
