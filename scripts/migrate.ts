import { Command } from 'commander';
import { ConfigError } from '../runtime/config';
import { migrateToLatest, migrationState } from '../runtime/migrator';
import { withDatabase } from './database';

interface Options {
  readonly status?: true;
  readonly json?: true;
}

/** `npm run migrate`: exit code 0 when the database is up to date, 1 when it is not or a migration failed, 2 when the configuration is wrong. */
async function main({ status, json }: Options): Promise<number> {
  return withDatabase('throughline-migrate', async (db) => {
    const applied = status === true ? [] : await migrateToLatest(db);
    const state = await migrationState(db);
    const report = { appliedNow: applied, pending: state.pending, unknown: state.unknown, applied: state.applied.length };
    process.stdout.write(json === true ? `${JSON.stringify(report, null, 2)}\n` : inWords(report));
    return state.pending.length === 0 ? 0 : 1;
  });
}

interface Report {
  readonly appliedNow: readonly string[];
  readonly pending: readonly string[];
  readonly unknown: readonly string[];
  readonly applied: number;
}

function inWords({ appliedNow, pending, unknown, applied }: Report): string {
  const lines = [
    ...appliedNow.map((name) => `applied ${name}`),
    ...pending.map((name) => `pending ${name}`),
    ...unknown.map((name) => `unknown ${name}: this database has been migrated by a newer Throughline`),
    pending.length === 0 ? `The database is up to date (${applied} migrations).` : `${pending.length} migrations are pending.`,
  ];
  return `${lines.join('\n')}\n`;
}

function fail(error: unknown): number {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  return error instanceof ConfigError ? error.exitCode : 1;
}

const program = new Command('migrate')
  .description('Applies the pending migrations to the database of DATABASE_URL, or to that of the running embedded stack')
  .option('--status', 'only say what is applied and pending')
  .option('--json', 'print the result as JSON')
  .addHelpText('after', '\nExamples:\n  npm run migrate\n  npm run migrate -- --status --json')
  .action(async (options: Options) => {
    process.exitCode = await main(options).catch(fail);
  });

void program.parseAsync();
