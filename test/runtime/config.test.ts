import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError, readConfig, readDatabaseConfig, withStack } from '../../runtime/config';
import { describeVariables } from '../../runtime/environment';

const outside = { DATABASE_URL: 'postgres://u:p@db:5432/throughline', TEMPORAL_ADDRESS: 'temporal:7233', DEV_ISSUER: 'true' };

function problemsOf(env: Record<string, string>): string[] {
  try {
    readConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(({ variable, problem }) => `${variable} ${problem}`);
    throw error;
  }
  return [];
}

describe('nothing set', () => {
  it('runs everything on the embedded stack, with a development issuer', () => {
    const config = readConfig({});
    expect(config).toMatchObject({
      embedded: true,
      roles: ['api', 'worker', 'dispatcher', 'sealer', 'notifier'],
      auth: { devIssuer: true },
      simulation: false,
    });
    expect(config.temporal).toMatchObject({ namespace: 'throughline', connection: undefined });
    expect(config.http).toEqual({ host: '127.0.0.1', port: 3000, publicUrl: 'http://127.0.0.1:3000' });
  });

  it.each([
    [{ HOST: '0.0.0.0', DEV_ISSUER: 'false', THROUGHLINE_ROLES: 'worker' }, 'http://localhost:3000'],
    [{ HOST: '::1' }, 'http://[::1]:3000'],
    [{ PORT: '0' }, undefined],
    [{ PORT: '0', PUBLIC_URL: 'https://api.example' }, 'https://api.example'],
  ])('is reached, with %j, at %s', (env, publicUrl) => {
    expect(readConfig(env).http.publicUrl).toBe(publicUrl);
  });

  it('takes an empty variable as unset', () => {
    expect(readConfig({ PORT: '', DATABASE_URL: ' ' })).toEqual(readConfig({}));
  });

  it('takes the addresses of the stack once it is started', () => {
    const stack = { databaseUrl: 'postgres://x/y', temporalAddress: '127.0.0.1:7', uiUrl: 'http://ui', namespace: 'throughline' };
    const config = withStack(readConfig({}), stack);
    expect(config.database.url).toBe('postgres://x/y');
    expect(config.temporal).toMatchObject({ connection: { address: '127.0.0.1:7' }, uiUrl: 'http://ui' });
  });
});

describe('servers of your own', () => {
  it('starts no embedded server and lets nobody sign in with development tokens', () => {
    const config = readConfig({ ...outside, DEV_ISSUER: '', JWT_JWKS_URL: 'https://id.example/keys', JWT_ISSUER: 'https://id.example' });
    expect(config).toMatchObject({ embedded: false, auth: { devIssuer: false }, database: { url: outside.DATABASE_URL } });
    expect(config.temporal.connection?.address).toBe('temporal:7233');
  });

  it.each([
    [
      'one without the other',
      { DATABASE_URL: outside.DATABASE_URL, DEV_ISSUER: 'true' },
      'TEMPORAL_ADDRESS is missing while DATABASE_URL is set',
    ],
    [
      'the other without the one',
      { TEMPORAL_ADDRESS: 'temporal:7233', DEV_ISSUER: 'true' },
      'DATABASE_URL is missing while a Temporal server is named',
    ],
    ['no way to sign in', { ...outside, DEV_ISSUER: '' }, 'JWT_JWKS_URL is missing'],
    ['keys without an issuer', { ...outside, DEV_ISSUER: '', JWT_JWKS_URL: 'https://id.example/keys' }, 'JWT_ISSUER is needed'],
  ])('refuses %s', (_, env, problem) => {
    expect(problemsOf(env)).toEqual([expect.stringContaining(problem)]);
  });

  const provider = { JWT_JWKS_URL: 'https://id.example/keys', JWT_ISSUER: 'https://id.example' };
  it.each([
    ['beside an identity provider', { ...outside, ...provider }],
    ['on every address', { ...outside, HOST: '0.0.0.0' }],
    ['on every address under a public name', { ...outside, HOST: '0.0.0.0', PUBLIC_URL: 'https://throughline.example' }],
    ['by default on every address', { ...outside, HOST: '::', DEV_ISSUER: 'auto' }],
  ])('refuses the development issuer %s', (_, env) => {
    expect(problemsOf(env)).toEqual([expect.stringMatching(/^DEV_ISSUER must be false/)]);
  });

  it('keeps the development issuer behind a port of this machine, and off by default beyond it', () => {
    const mapped = { ...outside, HOST: '0.0.0.0', PUBLIC_URL: 'http://localhost:3000' };
    expect(readConfig(mapped).auth.devIssuer).toBe(true);
    expect(readConfig({ ...mapped, ...provider, DEV_ISSUER: 'auto' }).auth.devIssuer).toBe(false);
    expect(problemsOf({ HOST: '0.0.0.0' })).toEqual([expect.stringContaining('JWT_JWKS_URL is missing')]);
  });

  it('needs no way to sign in for a worker', () => {
    expect(readConfig({ ...outside, DEV_ISSUER: '', THROUGHLINE_ROLES: 'worker, sealer' }).roles).toEqual(['worker', 'sealer']);
  });

  it('reads TLS and the API key as the SDK does', () => {
    const env = { ...outside, TEMPORAL_API_KEY: 'key-1', TEMPORAL_NAMESPACE: 'firm.a1b2c', TEMPORAL_TLS_SERVER_NAME: 'cloud.example' };
    const { temporal } = readConfig(env);
    expect(temporal.namespace).toBe('firm.a1b2c');
    expect(temporal.connection).toMatchObject({ apiKey: 'key-1', tls: { serverNameOverride: 'cloud.example' } });
  });

  it('migrates with nothing but a database', () => {
    expect(readDatabaseConfig({ DATABASE_URL: outside.DATABASE_URL, PORT: 'none' }).url).toBe(outside.DATABASE_URL);
    expect(() => readDatabaseConfig({ DATABASE_URL: 'mysql://x' })).toThrow('DATABASE_URL: must be a postgres:// URL');
  });
});

describe('files', () => {
  let folder: string;
  beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'config-'))));
  afterAll(() => rmSync(folder, { recursive: true }));
  const file = (name: string, content: string): string => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };

  it('reads a secret from its file without the line end', () => {
    const config = readConfig({ HUBSPOT_CLIENT_SECRET_FILE: file('hubspot', 'shh\n') });
    expect(config.hubspot.clientSecret).toBe('shh');
  });

  it('refuses a secret given twice, an empty file and a missing one, all in one answer', () => {
    const env = {
      HUBSPOT_CLIENT_SECRET: 'a',
      HUBSPOT_CLIENT_SECRET_FILE: file('twice', 'b'),
      HUBSPOT_ACCESS_TOKEN_FILE: file('empty', '\n'),
      CRM_WEBHOOK_SECRET_FILE: join(folder, 'nowhere'),
    };
    const problems = problemsOf(env).join('\n');
    expect(problems).toContain('HUBSPOT_CLIENT_SECRET is set together with HUBSPOT_CLIENT_SECRET_FILE');
    expect(problems).toContain('HUBSPOT_ACCESS_TOKEN_FILE file');
    expect(problems).toContain('ENOENT');
  });

  it('connects with a profile of the Temporal configuration file only when it is named', () => {
    const TEMPORAL_CONFIG_FILE = file('temporal.toml', '[profile.firm]\naddress = "cluster.example:7233"\nnamespace = "of-profile"\n');
    const env = { DATABASE_URL: outside.DATABASE_URL, DEV_ISSUER: 'true', TEMPORAL_CONFIG_FILE, TEMPORAL_PROFILE: 'firm' };
    expect(readConfig(env).temporal).toMatchObject({ namespace: 'of-profile', connection: { address: 'cluster.example:7233' } });
    expect(problemsOf({ ...env, TEMPORAL_PROFILE: 'nobody' })).toEqual([expect.stringContaining('TEMPORAL_')]);
  });
});

describe('wrong values', () => {
  it('names every wrong variable at once, for an exit with code 2', () => {
    const env = {
      PORT: '80.5',
      LOG_LEVEL: 'loud',
      THROUGHLINE_ROLES: 'api,cook',
      HUBSPOT_BASE_URL: 'ftp://x',
      SIMULATION: 'yes',
      CRM_WEBHOOK_SECRET: 'plain',
    };
    expect(problemsOf(env)).toEqual([
      'THROUGHLINE_ROLES must be a comma-separated list of api, worker, dispatcher, sealer, notifier',
      'SIMULATION must be true or false',
      'PORT must be a whole number',
      'LOG_LEVEL must be trace, debug, info, warn, error, fatal or silent',
      'HUBSPOT_BASE_URL must be an http or https URL',
      'CRM_WEBHOOK_SECRET must be a Standard Webhooks secret (whsec_ and base64)',
    ]);
    expect(new ConfigError([]).exitCode).toBe(2);
  });

  it('sends mail only where server and sender are named', () => {
    expect(problemsOf({ SMTP_URL: 'smtp://mail.example' })).toEqual(['MAIL_FROM is needed with SMTP_URL']);
    const { notifications } = readConfig({ SMTP_URL: 'smtps://u:p@mail.example', MAIL_FROM: 'a@firm.example' });
    expect(notifications).toEqual({
      mail: { smtpUrl: 'smtps://u:p@mail.example', from: 'a@firm.example' },
      endpointKey: undefined,
      targets: 'public',
      links: undefined,
      keptDays: 90,
    });
  });

  it.each([
    ['https://api.firm.example', { baseUrl: 'https://api.firm.example', hours: 72 }],
    ['https://api.firm.example/', { baseUrl: 'https://api.firm.example', hours: 72 }],
    ['http://localhost:3000', { baseUrl: 'http://localhost:3000', hours: 72 }],
    ['http://api.firm.example', undefined],
    ['', undefined],
  ])('links that decide lead to %s only where that is named, and not unencrypted over a network', (PUBLIC_URL, links) => {
    expect(readConfig({ PUBLIC_URL, DEV_ISSUER: 'true' }).notifications.links).toEqual(links);
  });

  it.each([
    ['SMTP_URL', 'https://mail.example', 'smtp://'],
    ['MAIL_FROM', 'nobody', 'mail address'],
    ['WEBHOOK_ENDPOINT_KEY', 'short', '32 bytes'],
    ['WEBHOOK_TARGETS', 'all', 'public or any'],
    ['PORT', '65536', 'at most 65535'],
    ['DATABASE_POOL_SIZE', '0', 'at least 1'],
    ['TEMPORAL_ADDRESS', 'http://temporal:7233', 'must be host:port'],
    ['SALESFORCE_ORGANIZATION_ID', 'firm', '00D'],
    ['DATABASE_URL', 'localhost/db', 'postgres://'],
  ])('refuses %s=%s', (name, value, problem) => {
    expect(problemsOf({ [name]: value })).toContainEqual(expect.stringContaining(problem));
  });
});

it('documents every variable, and a file variant for every secret', () => {
  const variables = describeVariables();
  expect(variables.filter(({ description }) => description === '')).toEqual([]);
  for (const { name } of variables.filter(({ secret }) => secret)) {
    expect(variables.map((variable) => variable.name)).toContain(`${name}_FILE`);
  }
  expect(variables.find(({ name }) => name === 'PORT')).toMatchObject({ default: '3000', secret: false });
});
