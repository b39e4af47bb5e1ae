import { type FastifyRequest } from 'fastify';
import { type Transaction } from 'kysely';
import { z } from 'zod';
import { uuid } from '../../contracts/api/common';
import { apiKeyCreated, apiKeyRequest, devTokenRequest, devTokenSchema, meSchema } from '../../contracts/api/operations';
import { appendAudit } from '../../db/audit';
import { type DB } from '../../db/types';
import { covers, knownRoles } from '../../domain/access';
import { createApiKey, revokeApiKey } from '../auth/api-keys';
import { permissionsOfPrincipal, principalName } from '../auth/principal';
import { type Tokens } from '../auth/tokens';
import { type RouteDeps } from '../deps';
import { ApiError } from '../errors';
import { idFor } from '../idempotency';
import { type Api } from '../routing';

/** The only roles that a key can carry: whatever else a person may do, a key made by that person may not. */
const FOR_INTEGRATIONS = /-integration$/;

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
      requirePerson(request);
      const { roles, scope } = request.body;
      const unknown = roles.filter((role) => !knownRoles().includes(role));
      if (unknown.length > 0) throw new ApiError('RoleUnknown', unknown.join(', '));
      const ofPeople = roles.filter((role) => !FOR_INTEGRATIONS.test(role));
      if (ofPeople.length > 0) throw new ApiError('RolesNotForKeys', ofPeople.join(', '));
      if (scope.kind === 'entities' && !covers(request.scope, scope.entityIds))
        throw new ApiError('ScopeTooSmall', 'beyond your own scope');
      const id = idFor(request, 'api-key');
      const { expiresAt = null } = request.body;
      const at = await deps.clock.now();
      const key = await deps.db.transaction().execute(async (trx) => {
        const created = await createApiKey(trx, { id, ...request.body });
        if (created !== null) await audit(trx, request, { action: 'api-key.created', id, at, details: { roles, scope, expiresAt } });
        return created;
      });
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
      requirePerson(request);
      const { id } = request.params;
      const at = await deps.clock.now();
      const found = await deps.db.transaction().execute(async (trx) => {
        const revoked = await revokeApiKey(trx, id, new Date());
        if (revoked) await audit(trx, request, { action: 'api-key.revoked', id, at, details: {} });
        return revoked;
      });
      if (!found) throw new ApiError('ApiKeyUnknown', id);
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

function requirePerson({ principal }: FastifyRequest): void {
  if (principal.kind !== 'user') throw new ApiError('PersonRequired', 'keys are made and revoked by people');
}

/** Who gave or took a key, and what it may do; never the secret. */
async function audit(
  trx: Transaction<DB>,
  request: FastifyRequest,
  { id, ...what }: { action: string; id: string; at: string; details: Record<string, unknown> },
): Promise<void> {
  await appendAudit(trx, { stream: 'api-keys', subject: id, actor: principalName(request.principal), ...what });
}
