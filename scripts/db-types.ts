import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Command } from 'commander';
import { freePort } from '../runtime/ports';
import { startEmbeddedPostgres } from '../runtime/embedded-postgres';
import { migrateToLatest } from '../runtime/migrator';
import { createDatabase, createPool } from '../runtime/postgres';

const root = resolve(__dirname, '..');
const typesFile = join(root, 'db', 'types.ts');

/** How the parsers of runtime/postgres.ts hand values out. */
const typeMapping = { timestamptz: 'string', date: 'string', int8: 'number', jsonb: 'JsonColumn', json: 'JsonColumn', interval: 'string' };
const customImports = { JsonColumn: './json' };

const program = new Command('db-types')
  .description('Writes db/types.ts from a fresh database with all migrations applied')
  .option('--check', 'change nothing; exit 1 when db/types.ts does not match the migrations')
  .addHelpText('after', '\nExamples:\n  npm run db:types\n  npm run db:types -- --check')
  .action(async (options: { check?: boolean }) => {
    const wanted = await typesOfFreshDatabase();
    const upToDate = readFileSync(typesFile, 'utf8') === wanted;
    if (options.check !== true) writeFileSync(typesFile, wanted);
    process.stdout.write(
      upToDate
        ? 'db/types.ts matches the migrations\n'
        : options.check === true
          ? 'db/types.ts does not match the migrations: run npm run db:types\n'
          : 'db/types.ts written\n',
    );
    process.exitCode = options.check === true && !upToDate ? 1 : 0;
  });

async function typesOfFreshDatabase(): Promise<string> {
  const dataDir = mkdtempSync(join(tmpdir(), 'throughline-types-'));
  const postgres = await startEmbeddedPostgres({
    dataDir,
    persist: false,
    synced: false,
    port: await freePort(),
    logFile: join(dataDir, 'postgres.log'),
  });
  try {
    const url = postgres.url('throughline');
    const db = createDatabase(createPool({ url, poolSize: 2, statementTimeoutMs: 60_000 }));
    await migrateToLatest(db);
    await db.destroy();
    return generate(url, join(dataDir, 'types.ts'));
  } finally {
    await postgres.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

function generate(url: string, outFile: string): string {
  const codegen = require.resolve('kysely-codegen/dist/cli/bin.js');
  const mapping = ['--type-mapping', JSON.stringify(typeMapping), '--custom-imports', JSON.stringify(customImports)];
  const where = ['--dialect', 'postgres', '--url', url, '--out-file', outFile, '--exclude-pattern', 'kysely_*', '--log-level', 'error'];
  execFileSync(process.execPath, [codegen, ...where, ...mapping], { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
  return readFileSync(outFile, 'utf8');
}

void program.parseAsync();
