import { Command } from 'commander';
import { run, type FaultOptions } from './run';
import { startFaultStack } from './stack';

async function main(options: FaultOptions): Promise<boolean> {
  say(`seed ${options.seed}: ${options.deals} deals, ${options.kills} kills; again with -- --seed ${options.seed}`);
  let stop = async (): Promise<void> => undefined;
  const end = (): void => void stop().finally(() => process.exit(130));
  process.once('SIGINT', end);
  process.once('SIGTERM', end);
  const began = Date.now();
  try {
    const stack = await startFaultStack((stopAll) => {
      stop = stopAll;
    });
    say(`up after ${((Date.now() - began) / 1000).toFixed(1)} s`);
    const ran = await run(stack, options, say);
    say(JSON.stringify({ failures: ran.failures, differing: ran.clients.differing, sent: ran.clients.sent, repeated: ran.clients.repeated }, null, 1));
    say(ran.deals.map((deal) => `${deal.code} ${deal.story.name} ${deal.state}`).join('\n'));
    say(`${((Date.now() - began) / 1000).toFixed(1)} s`);
    return ran.failures.length === 0;
  } finally {
    await stop();
  }
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

const number = (text: string): number => Number.parseInt(text, 10);

void new Command('test:faults')
  .option('--seed <number>', 'repeats a run', number)
  .option('--deals <number>', 'deals that are played', number, 20)
  .option('--kills <number>', 'processes that are killed', number, 12)
  .action((options: Partial<FaultOptions> & { deals: number; kills: number }) =>
    main({ seed: Math.floor(Math.random() * 1e9), ...options }).then(
      (passed) => process.exit(passed ? 0 : 1),
      (error: unknown) => {
        process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
        process.exit(1);
      },
    ),
  )
  .parseAsync();
