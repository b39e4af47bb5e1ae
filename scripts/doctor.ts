import { resolve } from 'node:path';
import { Command } from 'commander';
import { checkUp, type Finding } from '../runtime/check-up';
import { ConfigError, readConfig } from '../runtime/config';

/** `npm run doctor`: exit code 0 when nothing is wrong, 1 when something is, 2 when the configuration itself cannot be read. */
async function main({ json }: { readonly json?: true }): Promise<number> {
  const findings = await checkUp(readConfig(), resolve(__dirname, '..'));
  const healthy = findings.every(({ state }) => state !== 'wrong');
  process.stdout.write(json === true ? `${JSON.stringify({ healthy, findings }, null, 2)}\n` : inWords(findings, healthy));
  return healthy ? 0 : 1;
}

function inWords(findings: readonly Finding[], healthy: boolean): string {
  const width = Math.max(...findings.map(({ subject }) => subject.length));
  const lines = findings.flatMap(({ state, subject, detail, advice }) => [
    `${state.padEnd(5)}  ${subject.padEnd(width)}  ${detail}`,
    ...(advice === undefined ? [] : [`${' '.repeat(width + 9)}→ ${advice}`]),
  ]);
  return `${[...lines, '', healthy ? 'Throughline can run here.' : 'Something must be put right first.'].join('\n')}\n`;
}

function fail(error: unknown, json: true | undefined): number {
  const message = error instanceof Error ? error.message : String(error);
  if (json === true)
    process.stdout.write(
      `${JSON.stringify({ healthy: false, error: message, problems: error instanceof ConfigError ? error.problems : [] }, null, 2)}\n`,
    );
  else process.stderr.write(`${message}\n`);
  return error instanceof ConfigError ? error.exitCode : 1;
}

const program = new Command('doctor')
  .description('Checks whether Throughline can run here, and says what to do where it cannot')
  .option('--json', 'print the findings as JSON')
  .addHelpText('after', '\nExamples:\n  npm run doctor\n  npm run doctor -- --json')
  .action(async (options: { json?: true }) => {
    process.exitCode = await main(options).catch((error: unknown) => fail(error, options.json));
  });

void program.parseAsync();
