import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrateToLatest, migrationState, pendingMigrations, requireMigrated } from '../../runtime/migrator';
import { createDatabase, createPool } from '../../runtime/postgres';
import { type TestDatabase, testDatabase } from '../support/database';

let test: TestDatabase;
let folder: string;
beforeEach(async () => {
  test = await testDatabase({ empty: true });
  folder = mkdtempSync(join(tmpdir(), 'migrations-'));
  write('0001_first.sql', 'create table first (id int primary key); create table log (name text);');
  write('0002_second.sql', `insert into log values ('second'); select pg_sleep(0.2);`);
});
afterEach(async () => {
  rmSync(folder, { recursive: true });
  await test.drop();
});

const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
const logged = async () => (await test.pool.query('select name from log')).rowCount;

it('applies what is pending in order, and nothing the second time', async () => {
  expect(await pendingMigrations(test.db, folder)).toEqual(['0001_first', '0002_second']);
  expect(await migrateToLatest(test.db, folder)).toEqual(['0001_first', '0002_second']);
  expect(await migrateToLatest(test.db, folder)).toEqual([]);
  expect(await pendingMigrations(test.db, folder)).toEqual([]);
});

it('applies each migration once when two programs migrate at the same time', async () => {
  const other = createDatabase(createPool({ url: test.url, poolSize: 2, statementTimeoutMs: 20_000 }));
  const applied = await Promise.all([migrateToLatest(test.db, folder), migrateToLatest(other, folder)]);
  await other.destroy();
  expect(applied.flat().sort()).toEqual(['0001_first', '0002_second']);
  expect(await logged()).toBe(1);
});

it('leaves nothing of a migration that fails, names it, and keeps those before it', async () => {
  write('0003_third.sql', `insert into log values ('third'); select 1 / 0;`);
  await expect(migrateToLatest(test.db, folder)).rejects.toThrow('0003_third failed: division by zero');
  expect(await logged()).toBe(1);
  expect(await pendingMigrations(test.db, folder)).toEqual(['0003_third']);
});

it('refuses to serve on pending migrations and says how to apply them', async () => {
  await expect(requireMigrated(test.db, folder)).rejects.toMatchObject({
    exitCode: 3,
    message: expect.stringContaining('npm run migrate') as string,
  });
  await migrateToLatest(test.db, folder);
  await expect(requireMigrated(test.db, folder)).resolves.toBeUndefined();
});

it('tells when the database is newer than the program', async () => {
  await migrateToLatest(test.db, folder);
  rmSync(join(folder, '0002_second.sql'));
  expect(await migrationState(test.db, folder)).toEqual({ applied: ['0001_first', '0002_second'], pending: [], unknown: ['0002_second'] });
});

it.each([
  ['second.sql', 'is not named like'],
  ['0001_again.sql', 'two migrations 0001'],
])('refuses a file %s', async (name, message) => {
  write(name, 'select 1');
  await expect(migrateToLatest(test.db, folder)).rejects.toThrow(message);
});
