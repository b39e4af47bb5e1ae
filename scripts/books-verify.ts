import { Command } from 'commander';
import { verifyBooks } from '../db/books/verify';
import { withDatabase } from './database';

type Report = Awaited<ReturnType<typeof verifyBooks>>;

/** `npm run books:verify`: exit code 0 when the books tie, 1 when a tie is broken, 2 when they could not be checked. */
async function main(json: boolean): Promise<number> {
  const report = await withDatabase('throughline-books-verify', verifyBooks);
  process.stdout.write(json ? `${JSON.stringify(report, null, 2)}\n` : inWords(report));
  return report.valid ? 0 : 1;
}

function inWords({ valid, ties }: Report): string {
  const lines = ties.flatMap(({ tie, says, compared, broken }) => [
    `${broken.length === 0 ? 'ties  ' : 'BROKEN'} ${tie}: ${says} (${compared} compared)`,
    ...broken.map(({ subject, inBooks, inFacts }) => `       ${subject}: ${inBooks} in the books, ${inFacts} by the facts`),
  ]);
  const first = ties.find(({ broken }) => broken.length > 0);
  return `${[...lines, valid ? 'The books tie.' : `The first broken tie is ${first?.tie ?? ''}.`].join('\n')}\n`;
}

new Command('books:verify')
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
  .description('Checks that journal, documents, payments and revenue tie, and names the first tie that is broken.')
  .option('--json', 'print the report as JSON')
  .addHelpText('after', '\nExample: npm run books:verify -- --json')
  .action(async ({ json }: { json?: true }) => {
    process.exitCode = await main(json === true).catch((error: unknown) => {
      process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
      return 2;
    });
  })
  .parse();
