import { existsSync } from 'node:fs';
import { Command } from 'commander';
import { describeMasterDataError } from '../integrations/master-data/errors';
import { withDatabase } from './database';
import { seedFolder } from './seed-folder';

/** `npm run seed -- FOLDER`: exit code 0 when loaded, 1 when the folder has errors (nothing is loaded then), 2 when it could not be tried. */
async function main(folder: string, options: { at?: string; actor: string }): Promise<number> {
  if (!existsSync(folder)) throw new Error(`There is no folder ${folder}.`);
  const at = new Date(options.at ?? Date.now()).toISOString();
  const loaded = await withDatabase('throughline-seed', (db) => seedFolder(db, folder, { at, actor: options.actor }));
  if (!('counts' in loaded)) {
    for (const error of loaded) process.stderr.write(`${describeMasterDataError(error)}\n`);
    process.stderr.write(`${loaded.length} errors; nothing was loaded.\n`);
    return 1;
  }
  for (const [what, count] of Object.entries(loaded.counts)) process.stdout.write(`${what.padEnd(16)} ${count}\n`);
  process.stdout.write(`new policies     ${loaded.newPolicies.length === 0 ? 'none' : loaded.newPolicies.join(', ')}\n`);
  return 0;
}

new Command('seed')
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
  .description('Loads the master data of a folder: legal entities, customers, users, calendars, rates, policies. Again gives the same.')
  .argument('<folder>', 'folder in the format of examples/reference-deal')
  .option('--at <instant>', 'business moment of the audit entry; now by default')
  .option('--actor <id>', 'who loads it', 'operator')
  .addHelpText('after', '\nExample: npm run seed -- examples/reference-deal')
  .action(async (folder: string, options: { at?: string; actor: string }) => {
    process.exitCode = await main(folder, options).catch((error: unknown) => {
      process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
      return 2;
    });
  })
  .parse();
