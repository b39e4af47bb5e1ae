import './require-node';
import { Command } from 'commander';
import { readConfigOrExit } from '../runtime/config';
import { lastWords } from '../runtime/operator-error';
import { startThroughline } from '../workers/main';

/** `npm start`: serves the roles of the configuration until it is told to end. */
async function main(): Promise<void> {
  const config = readConfigOrExit({ ...defaults(), ...process.env });
  const running = await startThroughline(config);
  if (config.roles.includes('api')) {
    process.stdout.write(`API          ${running.apiUrl}\nAPI docs     ${running.apiUrl}/docs\n`);
    if (running.uiUrl !== undefined) process.stdout.write(`Temporal UI  ${running.uiUrl}\n`);
  }
  const told = new Promise<void>((resolve) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
  });
  await Promise.race([told, running.ended]);
  running.log.info('draining');
  await running.stop();
}

/** On a terminal the log is for reading. */
function defaults(): Record<string, string> {
  return process.stdout.isTTY ? { LOG_FORMAT: 'text' } : {};
}

new Command('start')
  .description(
    'Serves the product until it is told to end. Settings are environment variables, see README.md; embedded servers where none are named',
  )
  .action(() =>
    main().then(
      () => process.exit(0),
      (error: unknown) => {
        const { text, exitCode } = lastWords(error);
        process.stderr.write(`${text}\n`);
        process.exit(exitCode);
      },
    ),
  )
  .parse();
