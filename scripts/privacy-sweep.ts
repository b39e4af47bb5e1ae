import { Command } from 'commander';
import { sweep, sweepable } from '../db/privacy/sweep';
import { withDatabase } from './database';

/** `npm run privacy:sweep`: exit code 0 when everything past its time is erased, or was counted; 2 when it could not be done. */
async function main({ dryRun = false }: { readonly dryRun?: boolean }): Promise<number> {
  const at = new Date().toISOString();
  const { erased, held } = await withDatabase('throughline-privacy-sweep', (db) => (dryRun ? sweepable(db, at) : sweep(db, at)));
  if (Object.keys(erased).length === 0) {
    process.stderr.write('No retention policy is in force: load the master data first (npm run seed).\n');
    return 2;
  }
  for (const [name, count] of Object.entries(erased)) {
    const kept = held[name] === undefined || held[name] === 0 ? '' : `, ${held[name]} kept by a legal hold`;
    process.stdout.write(`${name}: ${count}${dryRun ? ' would be erased' : ' erased'}${kept}\n`);
  }
  return 0;
}

new Command('privacy:sweep')
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
  .description(
    'Erases data of people that is past its time by the retention policy in force, but what a legal hold keeps; on record by counts.',
  )
  .option('--dry-run', 'only count what would be erased')
  .addHelpText('after', '\nExample: npm run privacy:sweep -- --dry-run')
  .action(async (options: { dryRun?: boolean }) => {
    process.exitCode = await main(options).catch((error: unknown) => {
      process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
      return 2;
    });
  })
  .parse();
