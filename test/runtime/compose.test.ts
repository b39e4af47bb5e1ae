import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parse } from 'yaml';
import { makeSecrets } from '../../deploy/make-secrets';
import { readConfig, readDatabaseConfig } from '../../runtime/config';
import { describeVariables } from '../../runtime/environment';
import { pinnedServerVersion } from '../../runtime/temporal-cli';

interface Service {
  readonly image: string;
  readonly build?: string;
  readonly user?: string;
  readonly command?: string | string[];
  readonly container_name?: string;
  readonly restart?: string;
  readonly environment?: Record<string, string>;
  readonly ports?: string[];
  readonly volumes?: string[];
  readonly depends_on?: Record<string, { condition: string }>;
  readonly healthcheck?: { test: string[] };
}

const root = resolve(__dirname, '..', '..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');
const compose = parse(read('docker-compose.yml'), { merge: true }) as {
  services: Record<string, Service>;
  volumes: Record<string, unknown>;
};
const services = Object.entries(compose.services);
const service = (name: string): Service => compose.services[name] as Service;
const ours = services.filter(([, { build }]) => build !== undefined);
const secretsFolder = '/run/throughline';

/** `${NAME:-default}` as a machine without any variable set would fill it in. */
const filledIn = (value: string) => value.replaceAll(/\$\{\w+:-([^}]*)\}/g, '$1');

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'secrets-'));
  makeSecrets(folder, {});
});
afterAll(() => rmSync(folder, { recursive: true }));

/** The environment a container of ours would see, with the secrets that the first service makes. */
function environmentOf(name: string): Record<string, string> {
  const entries = Object.entries(service(name).environment ?? {});
  return Object.fromEntries(entries.map(([key, value]) => [key, filledIn(String(value)).replace(secretsFolder, folder)]));
}

it('has the servers, the migration, and an api and workers of our image', () => {
  expect(services.map(([name]) => name).sort()).toEqual(
    ['api', 'migrate', 'postgres', 'secrets', 'temporal', 'temporal-schema', 'temporal-ui', 'worker'].sort(),
  );
  expect(ours.map(([name]) => name).sort()).toEqual(['api', 'migrate', 'secrets', 'worker']);
});

it.each(ours)('%s sets only variables that the configuration knows', (_, { environment = {} }) => {
  const known = describeVariables().map(({ name }) => name);
  expect(Object.keys(environment).filter((name) => !known.includes(name))).toEqual([]);
});

it.each(['api', 'worker'])('%s has everything that the configuration requires', (name) => {
  const config = readConfig(environmentOf(name));
  expect(config.embedded).toBe(false);
  expect(config.database.url).toContain('@postgres:5432/throughline');
  expect(config.temporal.connection?.address).toBe('temporal:7233');
});

it('issues tokens itself on this machine only, and not beside an identity provider', () => {
  const api = environmentOf('api');
  expect(readConfig(api).auth.devIssuer).toBe(true);
  const provider = { JWT_JWKS_URL: 'https://id.example/keys', JWT_ISSUER: 'https://id.example' };
  expect(readConfig({ ...api, ...provider }).auth.devIssuer).toBe(false);
  expect(() => readConfig({ ...api, PUBLIC_URL: 'https://throughline.example' })).toThrow('DEV_ISSUER');
});

it('migrates with nothing but the database', () => {
  expect(readDatabaseConfig(environmentOf('migrate')).url).toContain('@postgres:5432/throughline');
});

it('runs every role exactly once among its services', () => {
  const roles = ['api', 'worker'].flatMap((name) => readConfig(environmentOf(name)).roles);
  expect(roles.sort()).toEqual(['api', 'dispatcher', 'notifier', 'sealer', 'worker']);
});

it('gives the access to a CRM to whoever fetches deals from it, and what checks webhooks and tokens to whoever answers them', () => {
  const given = (name: string) => Object.keys(service(name).environment ?? {});
  const fetching = ['HUBSPOT_BASE_URL', 'HUBSPOT_ACCESS_TOKEN', 'SALESFORCE_BASE_URL', 'SALESFORCE_ACCESS_TOKEN'];
  const answering = [
    'CRM_WEBHOOK_SECRET_FILE',
    'HUBSPOT_CLIENT_SECRET_FILE',
    'SALESFORCE_RELAY_SECRET_FILE',
    'SALESFORCE_OUTBOUND_TOKEN_FILE',
  ];
  const signIn = ['JWT_ISSUER', 'JWT_AUDIENCE', 'JWT_JWKS_URL', 'DEV_ISSUER', 'PUBLIC_URL', 'TRUST_PROXY'];
  for (const name of ['api', 'worker']) {
    const { roles } = readConfig(environmentOf(name));
    const needed = [...(roles.includes('dispatcher') ? fetching : []), ...(roles.includes('api') ? [...answering, ...signIn] : [])];
    const crm = [...fetching, ...answering, ...signIn];
    expect([
      name,
      given(name)
        .filter((variable) => crm.includes(variable))
        .sort(),
    ]).toEqual([name, needed.sort()]);
  }
});

it('gives what sends messages to whoever sends them, and the key of endpoints to whoever registers them too', () => {
  const needed = ['MAIL_FROM', 'SMTP_URL', 'WEBHOOK_ENDPOINT_KEY_FILE', 'WEBHOOK_TARGETS'];
  const given = (name: string) => Object.keys(service(name).environment ?? {}).filter((variable) => needed.includes(variable));
  expect([given('api').sort(), given('worker')]).toEqual([needed, []]);
  expect(readConfig(environmentOf('api')).notifications).toMatchObject({ mail: undefined, targets: 'public' });
  expect(readConfig(environmentOf('api')).notifications.endpointKey).toHaveLength(44);
});

it('gives no secret a value in the file: each is a file of the secrets volume, or empty until somebody sets it', () => {
  const secrets = describeVariables().filter(({ secret }) => secret);
  for (const [name, { environment = {} }] of services) {
    for (const secret of secrets) expect([name, secret.name, filledIn(environment[secret.name] ?? '')]).toEqual([name, secret.name, '']);
    expect(Object.keys(environment).filter((key) => /PASSWORD$|PWD$/.test(key))).toEqual([]);
  }
});

it('mounts the secrets, read only, where a *_FILE variable or a script reads them, and makes every file that is read', () => {
  const made = readdirSync(folder).map((file) => `${secretsFolder}/${file}`);
  for (const [name, { environment = {}, volumes = [], ...rest }] of services) {
    const files = Object.entries(environment).filter(([key]) => key.endsWith('_FILE'));
    for (const [key, file] of files) expect([name, key, made.includes(file)]).toEqual([name, key, true]);
    const readsThem = files.length > 0 || JSON.stringify(rest).includes(secretsFolder);
    if (readsThem && name !== 'secrets') expect([name, volumes.includes(`secrets:${secretsFolder}:ro`)]).toEqual([name, true]);
  }
  expect(read('deploy/temporal/setup-schema.sh')).toContain(`${secretsFolder}/postgres-password`);
});

it('keeps the secrets of the first start, takes those that are named, and has no default password', () => {
  const other = mkdtempSync(join(tmpdir(), 'secrets-'));
  makeSecrets(other, {});
  const content = (from: string) => Object.fromEntries(readdirSync(from).map((file) => [file, readFileSync(join(from, file), 'utf8')]));
  const before = content(other);
  makeSecrets(other, { HUBSPOT_CLIENT_SECRET: 'of-hubspot', CRM_WEBHOOK_SECRET: '' });
  expect(content(other)).toEqual({ ...before, 'hubspot-client-secret': 'of-hubspot' });
  expect(before['postgres-password']).not.toBe(content(folder)['postgres-password']);
  rmSync(other, { recursive: true });
});

it('checks the health of every service that stays, and lets the others end', () => {
  for (const [name, { healthcheck, restart }] of services) {
    expect([name, healthcheck === undefined]).toEqual([name, restart === undefined || restart === 'no']);
  }
});

it('waits for what a service needs: finished where it ends, healthy where it stays', () => {
  for (const [name, { depends_on = {} }] of services) {
    for (const [needed, { condition }] of Object.entries(depends_on)) {
      const wanted = service(needed).healthcheck === undefined ? 'service_completed_successfully' : 'service_healthy';
      expect([name, needed, condition]).toEqual([name, needed, wanted]);
    }
  }
});

it('pins every image, and takes the server that the tests run on', () => {
  for (const [, { image, build }] of services) if (build === undefined) expect(image).toMatch(/:\d+\.\d+(\.\d+)?$/);
  expect(service('temporal').image).toBe(`temporalio/server:${pinnedServerVersion}`);
  expect(service('temporal-schema').image).toBe(`temporalio/admin-tools:${pinnedServerVersion}`);
  expect(read('Dockerfile').match(/^FROM \S+/gm)).toEqual(['FROM node:20-bookworm-slim', 'FROM node:20-bookworm-slim']);
});

it('lets workers scale, and shows nothing beyond this machine', () => {
  expect(service('worker')).not.toHaveProperty('ports');
  for (const [, { container_name: name, ports = [] }] of services) {
    expect(name).toBeUndefined();
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/);
  }
});

it('runs our containers as a user without rights', () => {
  for (const [, { user }] of ours) expect(user).toBe('node');
  expect(read('Dockerfile')).toMatch(/^USER node$/m);
});

it('reports a stalled run as early as the embedded server does', () => {
  const settings = parse(read('deploy/temporal/dynamic-config.yaml')) as Record<string, { value: unknown }[]>;
  expect(settings['system.numConsecutiveWorkflowTaskProblemsToTriggerSearchAttribute']).toEqual([{ value: 2 }]);
});

it('mentions only files that exist', () => {
  for (const [, { command = [], volumes = [] }] of services) {
    const programs = [command].flat().filter((part) => part.endsWith('.ts'));
    const mounted = volumes.filter((volume) => volume.startsWith('./')).map((volume) => volume.split(':')[0] as string);
    for (const path of [...programs, ...mounted]) expect(() => readdirSync(join(root, path, '..'))).not.toThrow();
    for (const program of programs) expect(read(program)).not.toBe('');
  }
});

it('starts Node in the image as npm start does', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: { start: string } };
  const [, command = '[]'] = /^CMD (\[.*\])$/m.exec(read('Dockerfile')) ?? [];
  expect(scripts.start).toMatch(new RegExp(`&& ${(JSON.parse(command) as string[]).join(' ')}$`));
});
