import { createDatabase, createPool } from '../../runtime/postgres';
import { problemOf, type Send, testApi, type TestApi } from '../support/api';
import { type Facts, insertFacts } from '../support/api-facts';
import { cloudEvent, outboundMessage, postCloudEvent, postHubspot, postOutbound, referenceText } from '../support/crm-events';

describe('while Temporal is down', () => {
  let api: TestApi;
  let facts: Facts;
  beforeAll(async () => {
    api = await testApi({ deps: { updateTimeoutMs: 300 } });
    facts = await insertFacts(api.db, 'LE-US', 'BA-US');
  });
  afterAll(() => api.close());

  test('events are still taken', async () => {
    expect((await postCloudEvent(api.anyone, cloudEvent())).status).toBe(202);
    expect((await postHubspot(api.anyone, referenceText('hubspot-webhook.json'))).status).toBe(202);
    expect((await postOutbound(api.anyone, outboundMessage())).status).toBe(200);
  });

  test('facts in batches are still taken', async () => {
    const receivable = await api.as('U-AR');
    const raw = referenceText('bank/2026-04.camt053.xml');
    const answer = await receivable('POST', '/v1/bank-statements', { raw, headers: { 'content-type': 'application/xml' } });
    expect(answer.status).toBe(202);
  });

  test('a decision says that its outcome is unknown and may be repeated with the same key', async () => {
    const controller = await api.as('U-FC-US');
    const { shownHash } = (await controller('GET', `/v1/approvals/${facts.approvalId}`)).body as { shownHash: string };
    const decide = () =>
      controller('POST', `/v1/approvals/${facts.approvalId}/decisions`, { body: { verdict: 'grant', shownHash }, key: 'one' });
    for (const answer of [await decide(), await decide()]) {
      expect(problemOf(answer)).toMatchObject({ status: 503, code: 'OutcomeUnknown', retryable: true });
      expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    }
  });

  test.each([
    [
      'a milestone delivery',
      'U-PM-US',
      'POST',
      () => `/v1/contract-lines/${facts.contractLineId}/milestones/M1/deliveries`,
      { deliveredAt: '2026-03-01T00:00:00Z' },
    ],
    [
      'a hold',
      'U-AR',
      'POST',
      () => `/v1/invoices/${facts.invoiceId}/holds`,
      { kind: 'dunning-hold', amount: '10.00', reason: 'quality', from: '2026-03-01T00:00:00Z', until: null },
    ],
    ['a sign-off', 'U-PMO', 'POST', () => `/v1/projects/${facts.projectId}/sign-off`, { documentReference: 'D-1', signedOn: '2026-03-01' }],
    ['a recheck', 'U-SELLER', 'POST', () => `/v1/deals/${facts.dealId}/handoff/recheck`, undefined],
    ['the lifting of a hold', 'U-AR', 'DELETE', () => `/v1/invoices/${facts.invoiceId}/holds/${facts.holdId}`, undefined],
  ] as const)('%s says that its outcome is unknown', async (_what, userId, method, url, body) => {
    const send = await api.as(userId);
    expect(problemOf(await send(method, url(), body === undefined ? {} : { body }))).toMatchObject({ status: 503, code: 'OutcomeUnknown' });
  });

  test('what is read from the database is read; a run is not', async () => {
    const auditor = await api.withKey(['auditor']);
    expect((await auditor('GET', '/v1/deals')).status).toBe(200);
    expect(problemOf(await auditor('GET', `/v1/runs/deal%2F${facts.dealId}`))).toMatchObject({ status: 503, code: 'TemporalUnavailable' });
  });

  test('the process lives and is not ready, and says why', async () => {
    expect((await api.anyone('GET', '/livez')).status).toBe(200);
    const ready = await api.anyone('GET', '/readyz');
    expect(problemOf(ready)).toMatchObject({ status: 503, code: 'NotReady', retryable: true, detail: 'failed: temporal' });
    expect(ready.body).toMatchObject({ checks: { database: 'ok', migrations: 'ok', temporal: 'failed' } });
    expect(Number(ready.headers['retry-after'])).toBeGreaterThan(0);
  });
});

describe('while the database is down', () => {
  let api: TestApi;
  let send: Send;
  beforeAll(async () => {
    const db = createDatabase(createPool({ url: 'postgres://nobody@127.0.0.1:9/none', poolSize: 2, statementTimeoutMs: 1000 }));
    api = await testApi({ firm: false, deps: { db, updateTimeoutMs: 50 } });
    send = await api.as('U-CFO');
  });
  afterAll(async () => {
    await api.deps.db.destroy();
    await api.close();
  });

  test('everything that needs it says when to come again', async () => {
    const answers = [
      await send('GET', '/v1/deals'),
      await send('POST', '/v1/time-entries', { body: {}, key: 'k' }),
      await api.anyone('GET', '/v1/me', { headers: { authorization: `Bearer tlk_${'A'.repeat(43)}` } }),
      await postCloudEvent(api.anyone, cloudEvent()),
      await postHubspot(api.anyone, referenceText('hubspot-webhook.json')),
      await postOutbound(api.anyone, outboundMessage()),
    ];
    for (const answer of answers) {
      expect(problemOf(answer)).toMatchObject({ status: 503, code: 'DatabaseUnavailable', retryable: true });
      expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    }
  });

  test('the process lives, measures, and is not ready', async () => {
    expect((await api.anyone('GET', '/livez')).status).toBe(200);
    expect((await api.anyone('GET', '/metrics')).text).toContain('throughline_http_request_seconds');
    const ready = await api.anyone('GET', '/readyz');
    expect(problemOf(ready).code).toBe('NotReady');
    expect(ready.body).toMatchObject({ checks: { database: 'failed', migrations: 'failed', temporal: 'failed' } });
    expect((await api.anyone('GET', '/docs/')).status).toBe(200);
  });
});

describe('while a connection is lost in the middle', () => {
  test('the next request is served', async () => {
    const api = await testApi({ deps: { updateTimeoutMs: 50 } });
    const auditor = await api.withKey(['auditor']);
    expect((await auditor('GET', '/v1/deals')).status).toBe(200);
    await api.database.pool.query(
      'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
    );
    const answer = await auditor('GET', '/v1/deals');
    expect([200, 503]).toContain(answer.status);
    expect((await auditor('GET', '/v1/deals')).status).toBe(200);
    await api.close();
  });
});

test('a simulation that has not set its time yet is not ready, and no bug', async () => {
  const api = await testApi({ firm: false, environment: { SIMULATION: 'true' } });
  const answer = await (await api.withKey(['auditor']))('GET', '/v1/approvals');
  expect(problemOf(answer)).toMatchObject({ status: 503, code: 'NotReady', retryable: true });
  expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
  await api.close();
});
