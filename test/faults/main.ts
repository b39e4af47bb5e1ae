import { setTimeout as delay } from 'node:timers/promises';
import { Command, InvalidArgumentError } from 'commander';
import { checkEverything } from './checks';
import { writeHistories } from './histories';
import { lineOfCheck, lineOfKill, seconds, summaryOfKills } from './report';
import { run, type FaultOptions, waitsLeft } from './run';
import { type FaultStack, startFaultStack } from './stack';

interface Options extends FaultOptions {
  /** Where data, logs and histories stay. */
  readonly keep?: string;
}

/** What does not end by itself ends with us. */
const STOPS_WITHIN_MS = 60_000;

/** Plays deals while everything is killed, then checks what must hold; the last line counts. True where all of it holds. */
async function main(options: Options): Promise<boolean> {
  say(`seed ${options.seed}: ${options.deals} deals, ${options.kills} kills; the same again with --seed ${options.seed}`);
  let stop = async (): Promise<void> => undefined;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void stop().finally(() => process.exit(130)));
  const began = Date.now();
  try {
    const stack = await startFaultStack((stopAll) => {
      stop = stopAll;
    }, options.keep);
    say(`servers, worker and API are up after ${seconds(Date.now() - began)}`);
    const { passed, failed } = await playAndCheck(stack, options);
    say(`all of it took ${seconds(Date.now() - began)}`);
    say(`${passed} passed, ${failed} failed`);
    return failed === 0;
  } finally {
    await Promise.race([stop(), delay(STOPS_WITHIN_MS)]);
  }
}

async function playAndCheck(stack: FaultStack, options: Options): Promise<{ passed: number; failed: number }> {
  let number = 0;
  try {
    const ran = await run(stack, options, (struck) => say(lineOfKill(struck, (number += 1))));
    for (const line of summaryOfKills(ran.struck)) say(line);
    const checked = await checkEverything(stack, ran, options);
    for (const each of checked) say(lineOfCheck(each));
    const failed = checked.filter(({ passed }) => !passed).length;
    if (failed > 0) await sayWhatIsKnown(stack);
    return { passed: checked.length - failed, failed };
  } catch (error) {
    await sayWhatIsKnown(stack);
    throw error;
  } finally {
    if (options.keep !== undefined) await writeHistories(stack, options.keep).catch((error: unknown) => say(String(error)));
  }
}

/** The database may be what is away. */
async function sayWhatIsKnown(stack: FaultStack): Promise<void> {
  const waits = await waitsLeft(stack).catch((error: unknown) => [String(error)]);
  for (const line of [...stack.errorsLogged().slice(-20), ...waits]) say(line);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function whole(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('must be a whole number');
  return Number(text);
}

void new Command('test:faults')
  .description('Plays deals over HTTP while worker, API, Postgres and Temporal are killed, then checks the invariants by SQL')
  .option('--seed <number>', 'plays the same deals and kills again', whole)
  .option('--deals <number>', 'how many deals; 13 stories take turns', whole, 20)
  .option('--kills <number>', 'how many kills', whole, 12)
  .option('--keep <folder>', 'leaves data, logs and the histories of all runs in this folder')
  .addHelpText('after', '\nExample: npm run test:faults -- --deals 200 --kills 100')
  .action(({ seed = Math.floor(Math.random() * 1e9), ...options }: { seed?: number; deals: number; kills: number; keep?: string }) =>
    main({ seed, ...options }).then(
      (passed) => process.exit(passed ? 0 : 1),
      (error: unknown) => {
        process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
        say('0 passed, 1 failed');
        process.exit(1);
      },
    ),
  )
  .parseAsync();
