import { type FastifyRequest } from 'fastify';
import { z } from 'zod';
import { uuid } from '../../contracts/api/common';
import { deadLetterListSchema, notificationPageQuery, notificationPreferenceSchema } from '../../contracts/api/notifications';
import { listDeadLetters, replayNotification } from '../../db/dead-letters';
import { type NotificationPreference, preferenceOf, savePreference } from '../../db/notification-preferences';
import { isViolation } from '../../domain/violation';
import { principalName } from '../auth/principal';
import { type RouteDeps } from '../deps';
import { ApiError, refused } from '../errors';
import { pageAnswer, pageRequest } from '../paging';
import { type Api } from '../routing';

/** How people are told, and the messages that nobody took. */
export function notificationRoutes(app: Api, deps: RouteDeps): void {
  app.route({
    method: 'GET',
    url: '/v1/me/notification-preferences',
    schema: {
      tags: ['notifications'],
      summary: 'How the caller is told what is asked of them',
      response: { 200: notificationPreferenceSchema },
    },
    handler: async (request) => shown(await preferenceOf(deps.db, personOf(request))),
  });

  app.route({
    method: 'PUT',
    url: '/v1/me/notification-preferences',
    schema: {
      tags: ['notifications'],
      summary: 'Choose whether mail comes, and whether at once or once a day',
      body: notificationPreferenceSchema,
      response: { 200: notificationPreferenceSchema },
    },
    handler: async (request) => {
      const { mail, digest } = request.body;
      await savePreference(deps.db, personOf(request), { mail, digestHour: digest.kind === 'daily' ? digest.hour : null });
      return request.body;
    },
  });

  app.route({
    method: 'GET',
    url: '/v1/notifications/dead',
    schema: {
      tags: ['notifications'],
      summary: 'Messages that nobody took in all attempts, the last written first',
      querystring: notificationPageQuery,
      response: { 200: deadLetterListSchema },
    },
    handler: async (request) => pageAnswer(await listDeadLetters(deps.db, pageRequest(request.query, ['uuid']))),
  });

  app.route({
    method: 'POST',
    url: '/v1/notifications/:id/replay',
    schema: {
      tags: ['notifications'],
      summary: 'Try a dead letter once more, under the same message id',
      params: z.strictObject({ id: uuid }),
      response: { 202: z.object({ id: z.string() }) },
    },
    handler: async (request, reply) => {
      const by = { actor: principalName(request.principal), at: await deps.clock.now() };
      const replayed = await replayNotification(deps.db, request.params.id, by);
      if (isViolation(replayed)) throw refused(replayed);
      void reply.code(202);
      return replayed;
    },
  });
}

function personOf({ principal }: FastifyRequest): string {
  if (principal.kind !== 'user') throw new ApiError('PersonRequired', 'an integration has endpoints');
  return principal.id;
}

function shown({ mail, digestHour }: NotificationPreference) {
  return { mail, digest: digestHour === null ? { kind: 'none' as const } : { kind: 'daily' as const, hour: digestHour } };
}
