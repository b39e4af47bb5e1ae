import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { checkUp, type Finding } from '../../runtime/check-up';
import { readConfig } from '../../runtime/config';
import { nodeVersion } from '../../runtime/node-version';
import { type TestDatabase, testDatabase } from '../support/database';
import { testAddress } from '../support/servers';
import { testNamespace } from '../support/temporal';

const project = resolve(__dirname, '..', '..');
let folder: string;
let migrated: TestDatabase;
let empty: TestDatabase;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'doctor-'));
  [migrated, empty] = [await testDatabase(), await testDatabase({ empty: true })];
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await Promise.all([migrated.drop(), empty.drop()]);
});

async function examine(env: Record<string, string>): Promise<Record<string, Finding>> {
  const findings = await checkUp(
    readConfig({ DEV_ISSUER: 'true', THROUGHLINE_DATA_DIR: join(folder, 'data'), PORT: '0', ...env }),
    project,
  );
  return Object.fromEntries(findings.map((finding) => [finding.subject, finding]));
}
const servers = (databaseUrl: string) => ({
  DATABASE_URL: databaseUrl,
  TEMPORAL_ADDRESS: testAddress('THROUGHLINE_TEST_TEMPORAL_ADDRESS'),
  TEMPORAL_NAMESPACE: testNamespace,
});

it('finds servers that are ready right', async () => {
  const found = await examine(servers(migrated.url));
  expect(Object.values(found).map(({ state }) => state)).toEqual(['right', 'right', 'right', 'right']);
  expect(found.Temporal?.detail).toContain('30 days');
  expect(found.database?.detail).toContain('PostgreSQL 18');
});

it.each([
  ['18.20.8', false],
  ['20.9.0', false],
  ['20.20.0', true],
  ['24.1.0', true],
])('takes Node.js %s: %s', (running, isEnough) => {
  expect(nodeVersion(project, running).isEnough).toBe(isEnough);
});

it('finds pending migrations and says what to do', async () => {
  expect((await examine(servers(empty.url))).database).toMatchObject({ state: 'wrong', advice: 'Run npm run migrate.' });
});

it('finds servers that do not answer, without showing a password', async () => {
  const found = await examine({ DATABASE_URL: 'postgres://u:hidden@127.0.0.1:1/x', TEMPORAL_ADDRESS: '127.0.0.1:1' });
  expect([found.database?.state, found.Temporal?.state]).toEqual(['wrong', 'wrong']);
  expect(JSON.stringify(found)).not.toContain('hidden');
});

it('notes a namespace that is missing: the first worker makes it', async () => {
  const found = await examine({ ...servers(migrated.url), TEMPORAL_NAMESPACE: 'nowhere' });
  expect(found.Temporal).toMatchObject({ state: 'note', detail: expect.stringContaining('nowhere') as string });
});

it('finds what the embedded stack needs, and a wrong TEMPORAL_CLI_PATH', async () => {
  const found = await examine({ TEMPORAL_CLI_PATH: join(folder, 'nothing') });
  expect(found['embedded Postgres']).toMatchObject({ state: 'right', detail: expect.stringContaining('PostgreSQL 18') as string });
  expect(found['temporal binary']).toMatchObject({ state: 'wrong', advice: 'Correct TEMPORAL_CLI_PATH, or unset it.' });
  expect(found['data folder']).toMatchObject({ state: 'right' });
});

it('notes a port that is taken', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as { port: number };
  expect((await examine({ ...servers(migrated.url), PORT: String(port) }))['port of the API']).toMatchObject({ state: 'note' });
  taken.close();
});
