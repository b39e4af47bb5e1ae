import { preferenceOf } from '../../db/notification-preferences';
import { uuidv7 } from 'uuidv7';
import { problemOf, type Send, testApi, type TestApi } from '../support/api';
import { ENDPOINT_KEY } from '../support/notifier';
import { unseal } from '../../integrations/sealed-secret';

const ENDPOINT = { kind: 'webhook', name: 'Books', url: 'https://hooks.example.com/in?token=of-theirs', facts: ['invoice.issued'] };

describe('notifications over HTTP', () => {
  let api: TestApi;
  let operator: Send;
  beforeAll(async () => {
    api = await testApi({ environment: { WEBHOOK_ENDPOINT_KEY: ENDPOINT_KEY } });
    const held = { user_id: 'U-PMO', role: 'operator', scope_kind: 'group', scope_id: 'G' };
    await api.db.insertInto('role_assignment').values(held).execute();
    operator = await api.as('U-PMO');
  });
  afterAll(() => api.close());

  const register = (body: unknown = ENDPOINT, key?: string) =>
    operator('POST', '/v1/webhook-endpoints', { body, ...(key === undefined ? {} : { key }) });

  test('a secret is shown once, and neither it nor the address stands anywhere in the clear', async () => {
    const made = await register(ENDPOINT, 'endpoint-1');
    expect([made.status, made.headers['cache-control']]).toEqual([201, 'no-store']);
    const { id, secret } = made.body as { id: string; secret: string };
    expect(problemOf(await register(ENDPOINT, 'endpoint-1')).code).toBe('EndpointExists');
    const listed = await operator('GET', '/v1/webhook-endpoints');
    expect(listed.body).toMatchObject({ data: [{ id, origin: 'https://hooks.example.com', facts: ['invoice.issued'], removedAt: null }] });
    const row = await api.db.selectFrom('webhook_endpoint').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
    expect(unseal(row.sealed_secret ?? '', { key: ENDPOINT_KEY, of: id })).toBe(secret);
    expect(unseal(row.sealed_url, { key: ENDPOINT_KEY, of: id })).toBe(ENDPOINT.url);
    const kept = JSON.stringify([
      row,
      listed.body,
      await api.db.selectFrom('audit_entry').select('content').execute(),
      await api.db.selectFrom('idempotency_key').selectAll().execute(),
      api.logged,
    ]);
    expect(kept).not.toContain(secret);
    expect(kept).not.toContain('of-theirs');
    expect(kept).toContain('endpoint.added');
  });

  test('a chat has no secret of ours', async () => {
    expect((await register({ ...ENDPOINT, kind: 'teams' })).body).toMatchObject({ secret: null });
  });

  test.each(['http://hooks.example.com/', 'https://10.0.0.1/', 'https://localhost/', 'https://u:p@hooks.example.com/', 'nothing'])(
    '%s is refused',
    async (url) => {
      const problem = problemOf(await register({ ...ENDPOINT, url }));
      expect([problem.status, problem.code]).toEqual([422, 'EndpointAddressRefused']);
    },
  );

  test('a fact that nobody tells, or the same twice, is refused', async () => {
    for (const facts of [['time.recorded'], [], ['deal.closed', 'deal.closed']])
      expect(problemOf(await register({ ...ENDPOINT, facts })).code).toBe('ValidationFailed');
  });

  test('without a key that seals, no endpoint is taken', async () => {
    const other = await testApi();
    await other.db
      .insertInto('role_assignment')
      .values({ user_id: 'U-PMO', role: 'operator', scope_kind: 'group', scope_id: 'G' })
      .execute();
    const answer = await (await other.as('U-PMO'))('POST', '/v1/webhook-endpoints', { body: ENDPOINT });
    expect(problemOf(answer)).toMatchObject({ status: 503, code: 'EndpointKeyMissing' });
    await other.close();
  });

  test('an endpoint ends once, and what waits for it is dropped', async () => {
    const { id } = (await register()).body as { id: string };
    const [waiting, dead] = [await message(id, 'waiting'), await message(id, 'dead')];
    for (let times = 0; times < 2; times += 1) expect((await operator('DELETE', `/v1/webhook-endpoints/${id}`)).status).toBe(200);
    const states = await api.db.selectFrom('notification').select('state').where('id', 'in', [waiting, dead]).execute();
    expect(states).toEqual([{ state: 'dropped' }, { state: 'dropped' }]);
    expect(problemOf(await operator('POST', `/v1/notifications/${dead}/replay`)).code).toBe('NotificationNotDead');
    expect(problemOf(await operator('DELETE', `/v1/webhook-endpoints/${uuidv7()}`)).code).toBe('EndpointUnknown');
    const log = await api.db.selectFrom('audit_entry').select('content').where('stream', '=', 'notifications').execute();
    expect(log.filter(({ content }) => content.includes('endpoint.removed') && content.includes(id))).toHaveLength(1);
  });

  test('dead letters are listed by page, and sent once more by an operator', async () => {
    const { id } = (await register()).body as { id: string };
    const letters = [await message(id, 'dead'), await message(id, 'dead')];
    const first = (await operator('GET', '/v1/notifications/dead?limit=1')).body as { data: { id: string }[]; nextCursor: string };
    expect(first.data).toMatchObject([{ id: letters[1], endpointId: id, userId: null, channel: 'webhook', failure: 'status 500' }]);
    const second = (await operator('GET', `/v1/notifications/dead?limit=1&cursor=${first.nextCursor}`)).body;
    expect(second).toMatchObject({ data: [{ id: letters[0] }], hasMore: false });
    expect((await operator('POST', `/v1/notifications/${letters[0]}/replay`)).status).toBe(202);
    const row = await api.db.selectFrom('notification').selectAll().where('id', '=', letters[0]!).executeTakeFirstOrThrow();
    expect(row).toMatchObject({ state: 'waiting', attempts: 0, settled_at: null });
    expect(problemOf(await operator('POST', `/v1/notifications/${letters[0]}/replay`)).code).toBe('NotificationNotDead');
    expect(problemOf(await operator('POST', `/v1/notifications/${uuidv7()}/replay`)).code).toBe('NotificationUnknown');
    expect(problemOf(await (await api.as('U-SELLER'))('GET', '/v1/notifications/dead')).code).toBe('PermissionMissing');
  });

  test('a person chooses how to be told; who has chosen nothing gets mail at once', async () => {
    const person = await api.as('U-FC-US');
    const path = '/v1/me/notification-preferences';
    expect((await person('GET', path)).body).toEqual({ mail: true, digest: { kind: 'none' } });
    const wish = { mail: true, digest: { kind: 'daily', hour: 7 } };
    expect((await person('PUT', path, { body: wish })).body).toEqual(wish);
    expect((await person('GET', path)).body).toEqual(wish);
    expect(await preferenceOf(api.db, 'U-FC-US')).toEqual({ mail: true, digestHour: 7 });
    for (const digest of [{ kind: 'daily', hour: 24 }, { kind: 'daily' }, { kind: 'weekly' }])
      expect(problemOf(await person('PUT', path, { body: { mail: true, digest } })).code).toBe('ValidationFailed');
    const key = await api.withKey(['time-integration']);
    expect(problemOf(await key('GET', path)).code).toBe('PersonRequired');
  });

  test('an integration makes no endpoints', async () => {
    const key = await api.withKey(['operator']);
    expect(problemOf(await key('POST', '/v1/webhook-endpoints', { body: ENDPOINT })).code).toBe('PersonRequired');
  });

  test('the metrics say what waits and how old it is', async () => {
    const { text } = await api.anyone('GET', '/metrics');
    expect(text).toMatch(/throughline_outbox\{of="dead"\} [1-9]/);
    expect(text).toMatch(/throughline_outbox_age_seconds\{of="waiting"\} \d/);
  });

  async function message(endpointId: string, state: 'waiting' | 'dead'): Promise<string> {
    const id = uuidv7();
    const ended = state === 'dead' ? { settled_at: new Date().toISOString(), failure: 'status 500', attempts: 10 } : {};
    await api.db
      .insertInto('notification')
      .values({ id, channel: 'webhook', endpoint_id: endpointId, state, ...ended })
      .execute();
    return id;
  }
});
