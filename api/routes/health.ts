import { z } from 'zod';
import { pendingMigrations } from '../../runtime/migrator';
import { notificationFigures } from '../../db/dead-letters';
import { inboxCounts } from '../../db/inbox';
import { type RouteDeps } from '../deps';
import { ApiError } from '../errors';
import { type Api } from '../routing';

const READY_WITHIN_MS = 3000;
const ok = z.literal('ok');
const readiness = z.object({ status: ok, database: ok, migrations: ok, temporal: ok });
const ALL_OK: z.infer<typeof readiness> = { status: 'ok', database: 'ok', migrations: 'ok', temporal: 'ok' };

/** For whoever runs the process: does it live, can it serve, what does it measure. */
export function healthRoutes(app: Api, deps: RouteDeps): void {
  deps.metrics.gauge('throughline_inbox_events', 'Events of the inbox by state', ['state'], async () =>
    Object.entries(await inboxCounts(deps.db)).map(([state, value]) => ({ labels: { state }, value })),
  );
  deps.metrics.gauge('throughline_outbox', 'Facts and messages that wait to be told outside, and dead letters', ['of'], async () => {
    const { facts, waiting, dead } = await notificationFigures(deps.db);
    return Object.entries({ facts, waiting, dead }).map(([of, value]) => ({ labels: { of }, value }));
  });
  deps.metrics.gauge('throughline_outbox_age_seconds', 'Age of the oldest fact and message that is due', ['of'], async () => {
    const { factAgeSeconds, messageAgeSeconds } = await notificationFigures(deps.db);
    return Object.entries({ facts: factAgeSeconds, waiting: messageAgeSeconds }).map(([of, value]) => ({ labels: { of }, value }));
  });

  app.route({
    method: 'GET',
    url: '/livez',
    schema: { tags: ['operations'], summary: 'The process answers', response: { 200: z.object({ status: z.literal('ok') }) } },
    handler: () => Promise.resolve({ status: 'ok' as const }),
  });

  app.route({
    method: 'GET',
    url: '/readyz',
    schema: {
      tags: ['operations'],
      summary: 'Database, migrations and Temporal are there; else 503 with the checks that failed',
      response: { 200: readiness },
    },
    handler: async () => {
      const pending = await within(pendingMigrations(deps.db));
      const temporal = await within(deps.gateway.check().then(() => true));
      const checks = {
        database: pending === undefined ? ('failed' as const) : ('ok' as const),
        migrations: pending?.length === 0 ? ('ok' as const) : ('failed' as const),
        temporal: temporal === true ? ('ok' as const) : ('failed' as const),
      };
      const failed = Object.entries(checks).flatMap(([name, state]) => (state === 'failed' ? [name] : []));
      if (failed.length > 0) throw new ApiError('NotReady', `failed: ${failed.join(', ')}`, { checks });
      return ALL_OK;
    },
  });

  app.route({
    method: 'GET',
    url: '/metrics',
    schema: {
      tags: ['operations'],
      summary: 'Prometheus metrics',
      response: { 200: { content: { 'text/plain': { schema: z.string() } } } },
    },
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
