import { Client } from '@temporalio/client';
import { decideApart } from '../../../activities/approval/decision';
import { createApp } from '../../../api/app';
import { type ApiDeps } from '../../../api/deps';
import { businessClock } from '../../../runtime/business-clock';
import { createLogger } from '../../../runtime/logger';
import { createMetrics } from '../../../runtime/metrics';
import { createDatabase, createPool } from '../../../runtime/postgres';
import { connectTemporalLater } from '../../../runtime/temporal-connection';
import { type Asked, type Firm, request } from '../firm';
import { exchange, type Answer } from '../http';
import { signatureFor } from '../signatures';
import { type Expectations, type Scene } from './scene';
import { MAIN } from './terms';

/** Nobody listens here. */
const DEAD = '127.0.0.1:9';

/** API processes of the same installation that lack one server or secret each: everything says "not now", and nothing hangs. */
export const outages: Scene = {
  name: 'servers that are down',
  play: async (firm, expect) => {
    await withoutTemporal(firm, expect);
    await withoutDatabase(firm, expect);
    await withoutIdentityProvider(firm, expect);
    await withoutSecrets(firm, expect);
    await withoutPatience(firm, expect);
  },
};

type Ask = (method: string, path: string, asked?: Asked) => Promise<Answer>;

async function withoutTemporal(firm: Firm, expect: Expectations): Promise<void> {
  const { config } = firm.installation;
  const connection = connectTemporalLater({ ...config.temporal, connection: { address: DEAD } });
  const temporal = new Client({ connection, namespace: config.temporal.namespace });
  await served(firm, { temporal, updateTimeoutMs: 500 }, async (as) => {
    const deal = firm.deal(MAIN);
    expect.code(await (await as('U-SELLER'))('POST', `/v1/deals/${deal.id}/handoff/recheck`), 'OutcomeUnknown');
    expect.code(await (await as('U-AUDIT'))('GET', `/v1/runs/deal%2F${deal.id}`), 'TemporalUnavailable');
    expect.code(await (await as(null))('GET', '/readyz'), 'NotReady');
  });
  await connection.close();
}

async function withoutDatabase(firm: Firm, expect: Expectations): Promise<void> {
  const db = createDatabase(createPool({ url: `postgres://nobody@${DEAD}/none`, poolSize: 1, statementTimeoutMs: 1000 }));
  await served(firm, { db }, async (as) => expect.code(await (await as('U-PMO'))('GET', '/v1/deals'), 'DatabaseUnavailable'));
  await db.destroy();
}

async function withoutIdentityProvider(firm: Firm, expect: Expectations): Promise<void> {
  const { auth } = firm.installation.config;
  const config = {
    ...firm.installation.config,
    auth: { ...auth, issuer: 'https://id.example', jwksUrl: `http://${DEAD}/keys`, devIssuer: false },
  };
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const token = [
    part({ alg: 'RS256', kid: 'k' }),
    part({ iss: 'https://id.example', aud: 'throughline', sub: 'U-PMO', exp: 4_000_000_000 }),
    'c2ln',
  ].join('.');
  await served(firm, { config }, async (_as, ask) =>
    expect.code(await ask('GET', '/v1/me', { headers: { authorization: `Bearer ${token}` } }), 'IdentityProviderUnavailable'),
  );
}

async function withoutSecrets(firm: Firm, expect: Expectations): Promise<void> {
  const given = firm.installation.config;
  const config = { ...given, crmWebhookSecret: undefined, notifications: { ...given.notifications, endpointKey: undefined } };
  const path = '/webhooks/cloudevents';
  await served(firm, { config }, async (as, ask) => {
    const endpoint = { kind: 'webhook', name: 'none', url: 'https://hooks.example.invalid/', facts: ['deal.closed'] };
    expect.code(await (await as('U-OPS'))('POST', '/v1/webhook-endpoints', { body: endpoint }), 'EndpointKeyMissing');
    const headers = signatureFor(firm.secrets, firm.installation.apiUrl, { path, body: Buffer.from('{}') }) ?? {};
    expect.code(await ask('POST', path, { raw: '{}', type: 'application/cloudevents+json', headers }), 'WebhookNotConfigured');
  });
}

async function withoutPatience(firm: Firm, expect: Expectations): Promise<void> {
  await served(firm, { requestsPerMinute: 2 }, async (_as, ask) => {
    const answers = [await ask('GET', '/v1/me'), await ask('GET', '/v1/me'), await ask('GET', '/v1/me')];
    expect.code(answers[2] ?? answers[0]!, 'TooManyRequests');
  });
}

async function served(
  firm: Firm,
  over: Partial<ApiDeps>,
  play: (as: (userId: string | null) => Promise<Ask>, ask: Ask) => Promise<void>,
): Promise<void> {
  const { config, db, client } = firm.installation;
  const deps: ApiDeps = {
    config,
    db,
    temporal: client,
    clock: businessClock(over.db ?? db, config),
    log: createLogger({ level: 'silent', format: 'json' }),
    metrics: createMetrics(),
    decideApart: decideApart({ db: over.db ?? db }),
    ...over,
  };
  const app = await createApp(deps);
  try {
    const url = await app.listen({ host: '127.0.0.1', port: 0 });
    const asking =
      (authorization: string | null): Ask =>
      async (method, path, asked = {}) => {
        const sent = request(method, path, asked, authorization);
        const answer = await exchange(url, sent, 20_000);
        firm.witness.saw(sent, answer, true);
        return answer;
      };
    await play(async (userId) => asking(userId === null ? null : `Bearer ${await firm.token(userId)}`), asking(null));
  } finally {
    await app.close();
  }
}
