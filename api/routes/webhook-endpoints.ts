import { type FastifyRequest } from 'fastify';
import { z } from 'zod';
import { uuid } from '../../contracts/api/common';
import { endpointCreated, endpointListSchema, endpointRequest, notificationPageQuery } from '../../contracts/api/notifications';
import { appendAudit } from '../../db/audit';
import { addEndpoint, listEndpoints, removeEndpoint } from '../../db/webhook-endpoints';
import { isViolation } from '../../domain/violation';
import { refuseUrl } from '../../integrations/public-address';
import { newWebhookSecret, seal } from '../../integrations/sealed-secret';
import { principalName } from '../auth/principal';
import { type RouteDeps } from '../deps';
import { ApiError, refused } from '../errors';
import { idFor } from '../idempotency';
import { pageAnswer, pageRequest } from '../paging';
import { type Api } from '../routing';

const STREAM = 'notifications';

/** Where facts are sent to other systems. Addresses and secrets are kept sealed, and a secret is shown once. */
export function webhookEndpointRoutes(app: Api, deps: RouteDeps): void {
  app.route({
    method: 'POST',
    url: '/v1/webhook-endpoints',
    config: { storeAnswer: false },
    schema: {
      tags: ['notifications'],
      summary: 'Register where facts are sent; the secret that signs them is shown once',
      body: endpointRequest,
      response: { 201: endpointCreated },
    },
    handler: async (request, reply) => {
      requirePerson(request);
      const { endpointKey, targets } = deps.config.notifications;
      if (endpointKey === undefined) throw new ApiError('EndpointKeyMissing', 'WEBHOOK_ENDPOINT_KEY is not set');
      const { kind, name, url, facts } = request.body;
      const refusal = refuseUrl(url, targets);
      if (refusal !== null) throw refused(refusal);
      const id = idFor(request, 'webhook-endpoint');
      const secret = kind === 'webhook' ? newWebhookSecret() : null;
      const sealed = (value: string) => seal(value, { key: endpointKey, of: id });
      const { origin } = new URL(url);
      const by = { actor: principalName(request.principal), at: await deps.clock.now() };
      const isNew = await deps.db.transaction().execute(async (trx) => {
        const endpoint = { ...{ id, kind, name, origin, facts }, sealedUrl: sealed(url), createdBy: by.actor };
        if (!(await addEndpoint(trx, { ...endpoint, sealedSecret: secret === null ? null : sealed(secret) }))) return false;
        await appendAudit(trx, { stream: STREAM, action: 'endpoint.added', subject: id, details: { kind, origin, facts }, ...by });
        return true;
      });
      if (!isNew) throw new ApiError('EndpointExists', id);
      return reply.code(201).header('cache-control', 'no-store').send({ id, secret });
    },
  });

  app.route({
    method: 'GET',
    url: '/v1/webhook-endpoints',
    schema: {
      tags: ['notifications'],
      summary: 'Endpoints, the last made first; those that were removed too',
      querystring: notificationPageQuery,
      response: { 200: endpointListSchema },
    },
    handler: async (request) => pageAnswer(await listEndpoints(deps.db, pageRequest(request.query, ['instant', 'uuid']))),
  });

  app.route({
    method: 'DELETE',
    url: '/v1/webhook-endpoints/:id',
    schema: {
      tags: ['notifications'],
      summary: 'Send nothing there any more; what waits for it is dropped',
      params: z.strictObject({ id: uuid }),
      response: { 200: z.object({ id: z.string() }) },
    },
    handler: async (request) => {
      requirePerson(request);
      const { id } = request.params;
      const by = { actor: principalName(request.principal), at: await deps.clock.now() };
      const removed = await deps.db.transaction().execute(async (trx) => {
        const ended = await removeEndpoint(trx, id, by.at);
        if (ended === true) await appendAudit(trx, { stream: STREAM, action: 'endpoint.removed', subject: id, details: {}, ...by });
        return ended;
      });
      if (isViolation(removed)) throw refused(removed);
      return { id };
    },
  });
}

function requirePerson({ principal }: FastifyRequest): void {
  if (principal.kind !== 'user') throw new ApiError('PersonRequired', 'endpoints are made and removed by people');
}
