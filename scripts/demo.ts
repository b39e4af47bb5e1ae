import './require-node';
import { resolve } from 'node:path';
import { Command } from 'commander';
import { play } from './play';

const REFERENCE_DEAL = resolve(__dirname, '..', 'examples', 'reference-deal');

interface Options {
  readonly exit?: true;
  readonly json?: string;
  readonly dataDir: string;
  readonly resume?: true;
}

/** `npm run demo`: the reference deal from the signed CRM event to cash and a closed project. */
void new Command('demo')
  .description('Starts the embedded stack, plays the reference deal over a signed webhook and stays up until Ctrl-C.')
  .option('--exit', 'end when the deal is played')
  .option('--json <file>', 'write all figures of the deal to a file')
  .option('--data-dir <folder>', 'where the stack keeps its data', '.throughline/demo')
  .option('--resume', 'go on with a demo that was interrupted')
  .addHelpText('after', '\nExamples:\n  npm run demo\n  npm run demo -- --exit --json figures.json\n  npm run demo -- --resume')
  .action(async (options: Options) => {
    const { dataDir, json } = options;
    process.exitCode = await play({
      folder: REFERENCE_DEAL,
      dataDir,
      json,
      resume: options.resume === true,
      stay: options.exit !== true,
    });
  })
  .parseAsync();
