import { Command } from 'commander';
import { eraseTexts, type TextChoice } from '../db/erase-texts';
import { withDatabase } from './database';

interface Options {
  readonly by: string;
  readonly id?: readonly string[];
  readonly author?: string;
  readonly subject?: string;
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** `npm run texts:erase`: exit code 0 when the words are gone, also where there were none; 1 when a legal hold keeps some; 2 when it could not be done. */
async function main(options: Options): Promise<number> {
  const choice = chosen(options);
  const by = { actor: options.by, at: new Date().toISOString() };
  const { erased, held } = await withDatabase('throughline-erase-texts', (db) => eraseTexts(db, choice, by));
  const lines = (ids: readonly string[]) => ids.map((id) => `${id}\n`).join('');
  process.stdout.write(`${erased.length} texts erased\n${lines(erased)}`);
  if (held.length === 0) return 0;
  process.stdout.write(`${held.length} texts kept by a legal hold\n${lines(held)}`);
  return 1;
}

function chosen({ id, author, subject }: Options): TextChoice {
  const choices = [id && { ids: id }, author && { author }, subject && { subject }].filter((each) => each !== undefined && each !== '');
  const [choice] = choices;
  if (choice === undefined || choices.length > 1) throw new Error('Say which texts: one of --id, --author and --subject.');
  const wrong = (id ?? []).filter((each) => !UUID.test(each));
  if (wrong.length > 0) throw new Error(`No id of a text: ${wrong.join(', ')}`);
  return choice;
}

new Command('texts:erase')
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
  .description('Erases what people wrote in their own words, for good; what refers to it stays, and the erasure is on record.')
  .requiredOption('--by <user>', 'who erases, for the audit log')
  .option('--id <ids...>', 'texts by id, as the audit log names them')
  .option('--author <user>', 'everything that one person wrote')
  .option('--subject <subject>', 'everything about one thing, such as invoice/<id> or deal/<id>')
  .addHelpText('after', '\nExample: npm run texts:erase -- --author U-17 --by U-OPS')
  .action(async (options: Options) => {
    process.exitCode = await main(options).catch((error: unknown) => {
      process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
      return 2;
    });
  })
  .parse();
