import { type FastifyReply, type FastifyRequest } from 'fastify';
import { z } from 'zod';
import { webhookAnswerSchema } from '../../contracts/api/inbox';
import { cloudEventSchema } from '../../integrations/cloudevents';
import { changeEventSchema } from '../../integrations/salesforce/change-event';
import { type RouteDeps } from '../deps';
import { type Api } from '../routing';
import { takeCloudEvent } from './cloudevents';
import { takeHubspotEvents } from './hubspot';
import { takeChangeEvent, takeOutboundMessage } from './salesforce';
import { type ToldEvent } from './store';

/**
 * Events of CRMs. A signature is over bytes, so nothing is parsed before it holds; then one row in the inbox, and the answer. What
 * becomes of the event is the dispatcher's work: an outage of Temporal or of the CRM costs the sender nothing.
 */
export function webhookRoutes(app: Api, deps: RouteDeps): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (request, body, done) => {
    request.rawBody = body as Buffer;
    done(null, body);
  });
  const asDocumented = () => (value: unknown) => ({ value });
  const answer =
    (take: (request: FastifyRequest) => Promise<readonly ToldEvent[]>) => async (request: FastifyRequest, reply: FastifyReply) =>
      reply.code(202).send({ events: [...(await take(request))] });

  app.route({
    method: 'POST',
    url: '/webhooks/cloudevents',
    validatorCompiler: asDocumented,
    schema: {
      tags: ['webhooks'],
      summary: 'CloudEvents 1.0, structured mode, with a Standard Webhooks signature',
      consumes: ['application/cloudevents+json'],
      body: cloudEventSchema,
      response: { 202: webhookAnswerSchema },
    },
    handler: answer((request) => takeCloudEvent(deps, request)),
  });

  app.route({
    method: 'POST',
    url: '/webhooks/hubspot',
    validatorCompiler: asDocumented,
    schema: {
      tags: ['webhooks'],
      summary: 'HubSpot webhook with signature v3',
      consumes: ['application/json'],
      body: z.array(z.looseObject({ eventId: z.int(), objectId: z.int(), occurredAt: z.int(), subscriptionType: z.string() })),
      response: { 202: webhookAnswerSchema },
    },
    handler: answer((request) => takeHubspotEvents(deps, request)),
  });

  app.route({
    method: 'POST',
    url: '/webhooks/salesforce/change-events',
    validatorCompiler: asDocumented,
    schema: {
      tags: ['webhooks'],
      summary: 'Change event of Salesforce, relayed as JSON with a Standard Webhooks signature',
      consumes: ['application/json'],
      body: changeEventSchema,
      response: { 202: webhookAnswerSchema },
    },
    handler: answer((request) => takeChangeEvent(deps, request)),
  });

  app.route({
    method: 'POST',
    url: '/webhooks/salesforce/outbound-message',
    schema: {
      tags: ['webhooks'],
      summary: 'Outbound message of Salesforce (SOAP); the address holds a secret token',
      consumes: ['text/xml'],
      querystring: z.object({ token: z.string().max(500).optional() }),
      response: { 200: { content: { 'text/xml': { schema: z.string() } } } },
    },
    handler: async (request, reply) => {
      const acknowledgement = await takeOutboundMessage(deps, request, request.query.token ?? '');
      return reply
        .type('text/xml; charset=utf-8')
        .serializer((text: unknown) => text as string)
        .send(acknowledgement);
    },
  });
}
