import { startDevStack } from '../../runtime/dev-stack';

/** A program that starts a stack on the folder of its argument and stays; the test kills it outright. */
const stays = setInterval(() => undefined, 1_000);
void startDevStack({ dataDir: process.argv[2] as string, persist: true, ui: false, searchAttributes: [] }).then(
  () => process.stdout.write('ready\n'),
  (error: Error) => {
    clearInterval(stays);
    process.stdout.write(`failed: ${error.message}\n`);
  },
);
