import { z } from 'zod';
import { pendingMigrations } from '../../runtime/migrator';
import { type RouteDeps } from '../deps';
import { inboxCounts } from '../../db/inbox';
import { type Api } from '../routing';

const READY_WITHIN_MS = 3000;
const check = z.enum(['ok', 'failed']);
const readiness = z.object({ status: check, database: check, migrations: check, temporal: check });

/** For whoever runs the process: does it live, can it serve, what does it measure. */
export function healthRoutes(app: Api, deps: RouteDeps): void {
  deps.metrics.gauge('throughline_inbox_events', 'Events of the inbox by state', ['state'], async () =>
    Object.entries(await inboxCounts(deps.db)).map(([state, value]) => ({ labels: { state }, value })),
  );

  app.route({
    method: 'GET',
    url: '/livez',
    schema: { tags: ['operations'], summary: 'The process answers', response: { 200: z.object({ status: z.literal('ok') }) } },
    handler: () => Promise.resolve({ status: 'ok' as const }),
  });

  app.route({
    method: 'GET',
    url: '/readyz',
    schema: { tags: ['operations'], summary: 'Database, migrations and Temporal are there', response: { 200: readiness, 503: readiness } },
    handler: async (_request, reply) => {
      const pending = await within(pendingMigrations(deps.db));
      const database = pending === undefined ? ('failed' as const) : ('ok' as const);
      const migrations = pending?.length === 0 ? ('ok' as const) : ('failed' as const);
      const temporal = (await within(deps.gateway.check().then(() => true))) === true ? ('ok' as const) : ('failed' as const);
      const ready = database === 'ok' && migrations === 'ok' && temporal === 'ok';
      if (!ready) void reply.header('retry-after', 5);
      return reply.code(ready ? 200 : 503).send({ status: ready ? 'ok' : 'failed', database, migrations, temporal });
    },
  });

  app.route({
    method: 'GET',
    url: '/metrics',
    schema: { tags: ['operations'], summary: 'Prometheus metrics', response: { 200: z.string() } },
    handler: async (_request, reply) =>
      reply
        .type(deps.metrics.registry.contentType)
        .serializer((text: unknown) => text as string)
        .send(await deps.metrics.registry.metrics()),
  });

  app.route({
    method: 'GET',
    url: '/openapi.json',
    schema: { hide: true },
    handler: (_request, reply) =>
      reply
        .type('application/json; charset=utf-8')
        .serializer((document: unknown) => JSON.stringify(document))
        .send(app.swagger()),
  });
}

/** A check that fails or hangs is a check that failed. */
async function within<T>(asked: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), READY_WITHIN_MS);
  });
  try {
    return await Promise.race([asked.catch(() => undefined), late]);
  } finally {
    clearTimeout(timer);
  }
}
