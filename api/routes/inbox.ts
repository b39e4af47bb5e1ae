import { z } from 'zod';
import { uuid } from '../../contracts/api/common';
import { inboxEventListSchema, inboxEventQuery, inboxEventSchema } from '../../contracts/api/inbox';
import { inboxEvent } from '../../db/inbox';
import { replayEvent } from '../../db/inbox-delivery';
import { inboxEventView, listInboxEvents } from '../../db/reads/inbox';
import { isViolation } from '../../domain/violation';
import { principalName } from '../auth/principal';
import { type RouteDeps } from '../deps';
import { ApiError, refused } from '../errors';
import { pageAnswer, pageRequest } from '../paging';
import { type Api } from '../routing';

const params = z.strictObject({ id: uuid });

/** Every outside event, whatever became of it, and the word to hand one on again. */
export function inboxRoutes(app: Api, deps: RouteDeps): void {
  app.route({
    method: 'GET',
    url: '/v1/inbox-events',
    schema: {
      tags: ['inbox'],
      summary: 'Events of the inbox, the last received first',
      querystring: inboxEventQuery,
      response: { 200: inboxEventListSchema },
    },
    handler: async (request) => {
      const { state, source } = request.query;
      return pageAnswer(await listInboxEvents(deps.db, { state, source }, pageRequest(request.query, ['uuid'])));
    },
  });

  app.route({
    method: 'GET',
    url: '/v1/inbox-events/:id',
    schema: {
      tags: ['inbox'],
      summary: 'One event; what it carried stays in the database, because it may name people',
      params,
      response: { 200: inboxEventSchema },
    },
    handler: async (request) => {
      const row = await inboxEvent(deps.db, request.params.id);
      if (row === undefined) throw new ApiError('InboxEventUnknown', request.params.id);
      return inboxEventView(row);
    },
  });

  app.route({
    method: 'POST',
    url: '/v1/inbox-events/:id/replay',
    schema: { tags: ['inbox'], summary: 'Hand an event on once more', params, response: { 202: inboxEventSchema } },
    handler: async (request, reply) => {
      const by = { actor: principalName(request.principal), at: await deps.clock.now() };
      const row = await replayEvent(deps.db, request.params.id, by);
      if (isViolation(row)) throw refused(row);
      void reply.code(202);
      return inboxEventView(row);
    },
  });
}
