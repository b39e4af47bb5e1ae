import { createServer, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { userPrincipal } from '../../api/auth/principal';
import { createTokens } from '../../api/auth/tokens';
import { problemOf, testApi, type TestApi } from '../support/api';
import { auditOf } from '../support/texts';

describe('who is asking', () => {
  let api: TestApi;
  beforeAll(async () => {
    api = await testApi();
  });
  afterAll(() => api.close());

  const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

  test.each([
    ['no header', {}, 'NotAuthenticated'],
    ['another scheme', { authorization: 'Basic dTpw' }, 'NotAuthenticated'],
    ['a token that is none', { authorization: 'Bearer abc' }, 'TokenInvalid'],
    ['an unsigned token', { authorization: `Bearer ${unsigned()}` }, 'TokenInvalid'],
    ['a key of the wrong form', { authorization: 'Bearer tlk_short' }, 'ApiKeyInvalid'],
    ['a key that nobody was given', { authorization: `Bearer tlk_${'A'.repeat(43)}` }, 'ApiKeyInvalid'],
  ])('%s is 401', async (_what, headers, code) => {
    const answer = await api.anyone('GET', '/v1/me', { headers });
    expect(problemOf(answer)).toMatchObject({ status: 401, code });
    expect(answer.headers['www-authenticate']).toBe('Bearer');
  });

  test('a person is told roles, scopes and permissions', async () => {
    const send = await api.as('U-FC-DE');
    expect((await send('GET', '/v1/me')).body).toMatchObject({
      kind: 'user',
      id: 'U-FC-DE',
      roles: [{ role: 'finance-controller', scope: { kind: 'entities', entityIds: ['LE-DE'] } }],
      permissions: expect.arrayContaining(['approval.decide', 'margin.read']) as unknown,
    });
  });

  test('a token of somebody who is not known, or not active, is 403', async () => {
    const stranger = await api.as('U-NOBODY');
    expect(problemOf(await stranger('GET', '/v1/me'))).toMatchObject({ status: 403, code: 'UserUnknown' });
    const left = await api.as('U-PM-JP');
    await api.db.updateTable('app_user').set({ active: false }).where('id', '=', 'U-PM-JP').execute();
    expect(problemOf(await left('GET', '/v1/me')).code).toBe('UserUnknown');
  });

  test('a delegation counts from its first moment to its last, for approvals only', async () => {
    const given = { delegator_id: 'U-PROC', delegate_id: 'U-AP', role: 'procurement-lead', reason: 'leave' };
    const now = Date.now();
    const at = (minutes: number) => new Date(now + minutes * 60_000).toISOString();
    const send = await api.as('U-AP');
    expect(problemOf(await send('GET', '/v1/approvals')).code).toBe('PermissionMissing');
    await api.db
      .insertInto('delegation')
      .values({ id: 'D-OVER', valid_from: at(-20), valid_until: at(-10), ...given })
      .execute();
    expect(problemOf(await send('GET', '/v1/approvals')).code).toBe('PermissionMissing');
    await api.db
      .insertInto('delegation')
      .values({ id: 'D-NOW', valid_from: at(-5), valid_until: at(5), ...given })
      .execute();
    expect((await send('GET', '/v1/approvals')).status).toBe(200);
    expect(problemOf(await send('GET', '/v1/deals')).code).toBe('PermissionMissing');
    expect(await delegatedTo('U-AP')).toEqual(['procurement-lead']);
    await api.db.updateTable('app_user').set({ active: false }).where('id', '=', 'U-PROC').execute();
    expect(problemOf(await send('GET', '/v1/approvals')).code).toBe('PermissionMissing');
    await api.db.updateTable('app_user').set({ active: true }).where('id', '=', 'U-PROC').execute();
  });

  test('a delegation passed on counts as deep as the policy allows, and no deeper', async () => {
    const chain = ['U-LEGAL', 'U-AR', 'U-RM-AM', 'U-PM-US'];
    const [from, until] = [-5, 5].map((minutes) => new Date(Date.now() + minutes * 60_000).toISOString()) as [string, string];
    for (const [index, delegator_id] of chain.slice(0, -1).entries()) {
      const link = { delegator_id, delegate_id: chain[index + 1] as string, role: 'legal-counsel', reason: 'leave' };
      await api.db
        .insertInto('delegation')
        .values({ id: `D-CHAIN-${index}`, valid_from: from, valid_until: until, ...link })
        .execute();
    }
    expect(await Promise.all(chain.slice(1).map(delegatedTo))).toEqual([['legal-counsel'], ['legal-counsel'], []]);
    await api.db.deleteFrom('delegation').where('id', 'like', 'D-CHAIN-%').execute();
  });

  const delegatedTo = async (userId: string) => {
    const principal = await userPrincipal(api.db, api.deps.clock, userId);
    return principal?.delegated.map(({ role }) => role);
  };

  describe('keys of integrations', () => {
    const key = { name: 'Time tracker', roles: ['time-integration'], scope: { kind: 'entities', entityIds: ['LE-US'] } };
    const operator = async () => {
      await api.db
        .insertInto('role_assignment')
        .values({ user_id: 'U-PMO', role: 'operator', scope_kind: 'group', scope_id: 'GRP-ALD' })
        .onConflict((conflict) => conflict.doNothing())
        .execute();
      return api.as('U-PMO');
    };

    test('are shown once, kept as a hash, and never logged', async () => {
      const send = await operator();
      const answer = await send('POST', '/v1/api-keys', { body: key, key: 'new-key' });
      expect(answer.status).toBe(201);
      const { id, key: secret } = answer.body as { id: string; key: string };
      const row = await api.db.selectFrom('api_key').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
      expect(JSON.stringify(row)).not.toContain(secret);
      expect(api.logged.join('')).not.toContain(secret);
      expect(await api.db.selectFrom('idempotency_key').selectAll().where('key', '=', 'new-key').execute()).toEqual([]);
      expect((await api.anyone('GET', '/v1/me', bearer(secret))).body).toMatchObject({ kind: 'api-key', id });
      expect(problemOf(await send('POST', '/v1/api-keys', { body: key, key: 'new-key' }))).toMatchObject({
        status: 409,
        code: 'ApiKeyExists',
      });
    });

    test('end with their time, and when they are revoked', async () => {
      const send = await operator();
      const create = async (more: object) =>
        (await send('POST', '/v1/api-keys', { body: { ...key, ...more } })).body as { id: string; key: string };
      const old = await create({ expiresAt: '2020-01-01T00:00:00Z' });
      expect(problemOf(await api.anyone('GET', '/v1/me', bearer(old.key))).code).toBe('ApiKeyInvalid');
      const revoked = await create({});
      expect((await api.anyone('GET', '/v1/me', bearer(revoked.key))).status).toBe(200);
      await api.db.updateTable('api_key').set({ revoked_at: new Date().toISOString() }).where('id', '=', revoked.id).execute();
      expect(problemOf(await api.anyone('GET', '/v1/me', bearer(revoked.key))).code).toBe('ApiKeyInvalid');
    });

    test('are made and revoked by people only, who stand in the audit log', async () => {
      const send = await operator();
      const { id, key: secret } = (await send('POST', '/v1/api-keys', { body: key })).body as { id: string; key: string };
      const machine = await api.withKey(['operator']);
      expect(problemOf(await machine('POST', '/v1/api-keys', { body: key })).code).toBe('PersonRequired');
      expect(problemOf(await machine('DELETE', `/v1/api-keys/${id}`)).code).toBe('PersonRequired');
      expect((await send('DELETE', `/v1/api-keys/${id}`)).status).toBe(200);
      const { entries } = await auditOf(api.db, 'api-keys');
      expect(entries.filter(({ subject }) => subject === id)).toMatchObject([
        { action: 'api-key.created', actor: 'U-PMO', details: { roles: key.roles, scope: key.scope } },
        { action: 'api-key.revoked', actor: 'U-PMO' },
      ]);
      expect(JSON.stringify(entries)).not.toContain(secret);
    });

    test.each([
      ['a role that reads everything', { roles: ['time-integration', 'auditor'] }, 403, 'RolesNotForKeys'],
      ['a role that approves', { roles: ['cfo'] }, 403, 'RolesNotForKeys'],
      ['the role that makes keys', { roles: ['operator'] }, 403, 'RolesNotForKeys'],
      ['a role that is not known', { roles: ['owner'] }, 422, 'RoleUnknown'],
    ])('cannot hold %s', async (_what, over, status, code) => {
      const send = await operator();
      expect(problemOf(await send('POST', '/v1/api-keys', { body: { ...key, ...over } }))).toMatchObject({ status, code });
    });

    test('decide nothing', async () => {
      const send = await api.withKey(['cfo']);
      const body = { verdict: 'grant', shownHash: 'x' };
      const answer = await send('POST', '/v1/approvals/11111111-1111-4111-8111-111111111111/decisions', { body });
      expect(problemOf(answer)).toMatchObject({ status: 403, code: 'PersonRequired' });
    });
  });
});

describe('tokens of an identity provider', () => {
  const issuer = 'https://login.example';
  let server: Server;
  let jwksUrl: string;
  let keys: unknown[] = [];
  let signToken: (claims: Claims) => Promise<string>;
  let broken = false;

  beforeAll(async () => {
    const jose = await import('jose');
    const pair = await jose.generateKeyPair('ES256');
    keys = [{ ...(await jose.exportJWK(pair.publicKey)), kid: 'one', alg: 'ES256', use: 'sig' }];
    signToken = (claims) =>
      new jose.SignJWT({})
        .setProtectedHeader({ alg: 'ES256', kid: 'one' })
        .setIssuer(claims.iss ?? issuer)
        .setAudience(claims.aud ?? 'throughline')
        .setSubject(claims.sub ?? 'U-CFO')
        .setExpirationTime(claims.expires ?? '5m')
        .sign(pair.privateKey);
    server = createServer((_request, response) => {
      response.writeHead(broken ? 500 : 200, { 'content-type': 'application/json' }).end(JSON.stringify({ keys }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    jwksUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`;
  });
  afterAll(() => new Promise((resolve) => server.close(resolve)));

  const tokens = () => createTokens({ issuer, audience: 'throughline', jwksUrl, devIssuer: false }, null);
  const sign = (claims: Claims) => signToken(claims);

  test('count with the right issuer, audience and time', async () => {
    expect(await (await tokens()).subjectOf(await sign({}))).toBe('U-CFO');
  });

  test.each([
    ['another issuer', { iss: 'https://evil.example' }],
    ['another audience', { aud: 'other' }],
    ['an end that has passed', { expires: '-1m' }],
    ['the name of our development issuer', { iss: 'throughline-development' }],
    ['no subject', { sub: '' }],
  ])('are refused with %s', async (_what, claims) => {
    await expect((await tokens()).subjectOf(await sign(claims))).rejects.toMatchObject({ code: 'TokenInvalid' });
  });

  test('cannot be checked while the provider does not answer', async () => {
    broken = true;
    await expect((await tokens()).subjectOf(await sign({}))).rejects.toMatchObject({ code: 'IdentityProviderUnavailable' });
    const nobody = await createTokens({ issuer, audience: 'throughline', jwksUrl: 'http://127.0.0.1:9/keys', devIssuer: false }, null);
    await expect(nobody.subjectOf(await sign({}))).rejects.toMatchObject({ code: 'IdentityProviderUnavailable' });
    broken = false;
  });

  test('open the API to people who are known, and nothing else does; 503 while the provider is away', async () => {
    const api = await testApi({ environment: { DEV_ISSUER: 'false', JWT_ISSUER: issuer, JWT_JWKS_URL: jwksUrl } });
    const me = async (claims: Claims) => api.anyone('GET', '/v1/me', { headers: { authorization: `Bearer ${await sign(claims)}` } });
    expect((await me({ sub: 'U-FC-DE' })).body).toMatchObject({ kind: 'user', id: 'U-FC-DE' });
    expect(problemOf(await me({ sub: 'U-NOBODY' }))).toMatchObject({ status: 403, code: 'UserUnknown' });
    expect(problemOf(await me({ aud: 'other' }))).toMatchObject({ status: 401, code: 'TokenInvalid' });
    expect((await api.anyone('POST', '/v1/dev/token', { body: { userId: 'U-CFO' } })).status).toBe(404);
    await api.close();
    broken = true;
    const later = await testApi({ environment: { DEV_ISSUER: 'false', JWT_ISSUER: issuer, JWT_JWKS_URL: jwksUrl }, firm: false });
    const answer = await later.anyone('GET', '/v1/me', { headers: { authorization: `Bearer ${await sign({})}` } });
    broken = false;
    expect(problemOf(answer)).toMatchObject({ status: 503, code: 'IdentityProviderUnavailable' });
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    await later.close();
  });

  test('the development issuer exists only where it is switched on', async () => {
    expect((await tokens()).issue).toBeUndefined();
  });
});

interface Claims {
  readonly iss?: string;
  readonly aud?: string;
  readonly sub?: string;
  readonly expires?: string;
}

function unsigned(): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'none' })}.${part({ sub: 'U-CFO', iss: 'throughline-development', aud: 'throughline', exp: 4_000_000_000 })}.`;
}
