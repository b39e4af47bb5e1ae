import { randomBytes } from 'node:crypto';
import { networkOf } from '../../api/rates';
import { type Answer, problemOf, testApi, type TestApi, type TestApiOptions } from '../support/api';

const HOME = '10.0.0.1';
const madeUpKey = (): string => `Bearer tlk_${randomBytes(32).toString('base64url')}`;
const madeUpToken = (): string => `Bearer ${randomBytes(8).toString('hex')}`;

describe('rates', () => {
  let api: TestApi;
  afterEach(() => api.close());

  const open = async (limits: TestApiOptions['deps']): Promise<void> => {
    api = await testApi({ deps: limits ?? {}, environment: { TRUST_PROXY: '127.0.0.1' } });
  };
  const me = (address: string, authorization?: string): Promise<Answer> =>
    api.anyone('GET', '/v1/me', {
      headers: { 'x-forwarded-for': address, ...(authorization === undefined ? {} : { authorization }) },
    });
  const statuses = async (times: number, ask: () => Promise<Answer>): Promise<number[]> => {
    const found: number[] = [];
    for (let count = 0; count < times; count += 1) found.push((await ask()).status);
    return found;
  };
  const goodToken = async (): Promise<string> => {
    const { body } = await api.anyone('POST', '/v1/dev/token', { body: { userId: 'U-CFO' } });
    return `Bearer ${(body as { token: string }).token}`;
  };

  test('count for an address that a trusted proxy names, and never for health', async () => {
    await open({ requestsPerMinute: 2 });
    expect(await statuses(3, () => me(HOME))).toEqual([401, 401, 429]);
    expect((await me('10.0.0.2')).status).toBe(401);
    const refused = await me(HOME);
    expect(problemOf(refused)).toMatchObject({ status: 429, code: 'TooManyRequests', retryable: true });
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    expect(await statuses(5, () => api.anyone('GET', '/livez', { headers: { 'x-forwarded-for': HOME } }))).toEqual(Array(5).fill(200));
  });

  test('made-up tokens of one address share its rate, however often they change', async () => {
    await open({ requestsPerMinute: 4 });
    expect(await statuses(6, () => me(HOME, madeUpToken()))).toEqual([401, 401, 401, 401, 429, 429]);
  });

  test.each([
    ['tokens', madeUpToken],
    ['keys', madeUpKey],
  ])('failed sign-ins with changing %s are limited by their address', async (_what, madeUp) => {
    await open({ failedSignInsPerMinute: 3 });
    expect(await statuses(5, () => me(HOME, madeUp()))).toEqual([401, 401, 401, 429, 429]);
    const refused = await me(HOME, madeUp());
    expect(problemOf(refused)).toMatchObject({ code: 'TooManyRequests', retryable: true });
    const wait = Number(refused.headers['retry-after']);
    expect(wait).toBeGreaterThan(0);
    expect(wait).toBeLessThanOrEqual(60);
    expect((await me('10.0.0.2', madeUp())).status).toBe(401);
  });

  test('a good credential is not locked out by others of its address, whether it was seen before or not', async () => {
    await open({ failedSignInsPerMinute: 2, requestsPerMinute: 20 });
    const [seen, fresh] = [await goodToken(), await goodToken()];
    expect((await me(HOME, seen)).status).toBe(200);
    expect(await statuses(3, () => me(HOME, madeUpKey()))).toEqual([401, 401, 429]);
    expect((await me(HOME, fresh)).status).toBe(200);
    await statuses(30, () => me(HOME, madeUpKey()));
    expect((await me(HOME)).status).toBe(429);
    expect(await statuses(5, () => me(HOME, seen))).toEqual([200, 200, 200, 200, 200]);
    expect(await statuses(5, () => me(HOME, fresh))).toEqual([200, 200, 200, 200, 200]);
  });

  test('a good credential has a rate of its own, and loses it when it is revoked', async () => {
    await open({ requestsPerMinute: 4 });
    const good = await goodToken();
    expect(await statuses(6, () => me(HOME, good))).toEqual([200, 200, 200, 200, 200, 429]);
    const key = madeUpKey();
    const send = await api.withKey(['auditor']);
    expect((await send('GET', '/v1/me')).status).toBe(200);
    await api.db.updateTable('api_key').set({ revoked_at: '2026-01-01T00:00:00Z' }).execute();
    expect((await send('GET', '/v1/me')).status).toBe(401);
    expect((await me('10.0.0.3', key)).status).toBe(401);
  });

  test('no request without a credential counts as a failed sign-in', async () => {
    await open({ failedSignInsPerMinute: 1 });
    expect(await statuses(4, () => me(HOME))).toEqual([401, 401, 401, 401]);
    expect((await me(HOME, madeUpKey())).status).toBe(401);
  });
});

test.each([
  ['10.0.0.1', '10.0.0.1'],
  ['::ffff:10.0.0.1', '10.0.0.1'],
  ['2001:db8:1:2:aaaa::1', '2001:db8:1:2::/64'],
  ['2001:0DB8:0001:0002:bbbb:0:0:9', '2001:db8:1:2::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
])('the address %s counts as %s', (ip, network) => {
  expect(networkOf(ip)).toBe(network);
});
