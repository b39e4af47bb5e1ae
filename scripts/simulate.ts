import './require-node';
import { Command } from 'commander';
import { play } from './play';

interface Options {
  readonly json?: string;
  readonly lines?: string;
  readonly dataDir: string;
  readonly resume?: true;
}

/** `npm run simulate -- FOLDER`: plays any deal folder of the reference deal's format. */
void new Command('simulate')
  .description('Plays a deal folder from the signed CRM event to the closed project and prints its tables.')
  .argument('<folder>', 'a folder in the format of examples/reference-deal')
  .option('--json <file>', 'write all figures of the deal to a file')
  .option('--lines <ids>', 'play only these lines, such as L1,L5')
  .option('--data-dir <folder>', 'where an embedded stack keeps its data', '.throughline/simulate')
  .option('--resume', 'go on with a play that was interrupted')
  .addHelpText(
    'after',
    '\nExamples:\n  npm run simulate -- examples/reference-deal --lines L1\n  npm run simulate -- my-deal --json figures.json',
  )
  .action(async (folder: string, options: Options) => {
    const { dataDir, json } = options;
    const lines = options.lines
      ?.split(',')
      .map((line) => line.trim())
      .filter((line) => line !== '');
    process.exitCode = await play({ folder, dataDir, json, lines, resume: options.resume === true, stay: false });
  })
  .parseAsync();
