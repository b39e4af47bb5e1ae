import { z } from 'zod';
import { uuid } from '../../contracts/api/common';
import { apiKeyCreated, apiKeyRequest, devTokenRequest, devTokenSchema, meSchema } from '../../contracts/api/operations';
import { type Permission, covers, knownRoles, permissionsOf } from '../../domain/access';
import { createApiKey, revokeApiKey } from '../auth/api-keys';
import { permissionsOfPrincipal } from '../auth/principal';
import { type Tokens } from '../auth/tokens';
import { type RouteDeps } from '../deps';
import { ApiError } from '../errors';
import { idFor } from '../idempotency';
import { type Api } from '../routing';

/** What a key can never carry: it decides nothing and creates no further keys. */
const FOR_PEOPLE: readonly Permission[] = ['approval.decide', 'api-key.write'];

/** Who the caller is, keys for integrations, and tokens in development. */
export function identityRoutes(app: Api, deps: RouteDeps, tokens: Tokens): void {
  app.route({
    method: 'GET',
    url: '/v1/me',
    schema: { tags: ['identity'], summary: 'Who the caller is, and what the caller may do where', response: { 200: meSchema } },
    handler: ({ principal }) => {
      const roles = [...principal.assignments, ...principal.delegated].map(({ role, scope }) => ({
        role,
        scope: scope.kind === 'group' ? scope : { kind: scope.kind, entityIds: [...scope.entityIds] },
      }));
      return Promise.resolve({ kind: principal.kind, id: principal.id, roles, permissions: permissionsOfPrincipal(principal) });
    },
  });

  app.route({
    method: 'POST',
    url: '/v1/api-keys',
    config: { storeAnswer: false },
    schema: {
      tags: ['identity'],
      summary: 'Create a key for an integration; it is shown once',
      body: apiKeyRequest,
      response: { 201: apiKeyCreated },
    },
    handler: async (request, reply) => {
      const { roles, scope } = request.body;
      const unknown = roles.filter((role) => !knownRoles().includes(role));
      if (unknown.length > 0) throw new ApiError('RoleUnknown', unknown.join(', '));
      const deciding = roles.filter((role) => permissionsOf([role]).some((permission) => FOR_PEOPLE.includes(permission)));
      if (deciding.length > 0) throw new ApiError('RolesNotForKeys', deciding.join(', '));
      if (scope.kind === 'entities' && !covers(request.scope, scope.entityIds))
        throw new ApiError('ScopeTooSmall', 'beyond your own scope');
      const id = idFor(request, 'api-key');
      const key = await createApiKey(deps.db, { id, ...request.body });
      if (key === null) throw new ApiError('ApiKeyExists', id);
      return reply.code(201).header('cache-control', 'no-store').send({ id, key });
    },
  });

  app.route({
    method: 'DELETE',
    url: '/v1/api-keys/:id',
    schema: {
      tags: ['identity'],
      summary: 'Revoke a key; it stops working at once',
      params: z.strictObject({ id: uuid }),
      response: { 200: z.object({ id: z.string() }) },
    },
    handler: async (request) => {
      const { id } = request.params;
      if (!(await revokeApiKey(deps.db, id, new Date()))) throw new ApiError('ApiKeyUnknown', id);
      return { id };
    },
  });

  const { issue } = tokens;
  if (issue === undefined) return;
  app.route({
    method: 'POST',
    url: '/v1/dev/token',
    schema: {
      tags: ['identity'],
      summary: 'A token of the local development issuer',
      body: devTokenRequest,
      response: { 200: devTokenSchema },
    },
    handler: (request) => issue(request.body.userId),
  });
}
