import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { Command } from 'commander';
import { workflowBundle } from '../workers/bundle';
import { corpus, CORPUS, replayCorpus } from '../workers/replay-gate';
import { covering, shapeOf, stepsOf, withoutTraces, type CapturedHistory } from './history-shapes';

const PROJECT = resolve(__dirname, '..');
/** The tests that drive every workflow type through its branches on a real server. */
const DRIVING = ['test/workflows', 'test/figures/every-effect'];
const LIMITS = { histories: 56, bytes: 1_000_000 };

/** `npm run histories:capture`: plays every workflow type and keeps the histories that the replay gate holds later builds to (I-14). */
void new Command('histories:capture')
  .description('Runs the workflow tests, and writes the fewest histories that show every step after every other into the replay corpus.')
  .argument('[tests...]', 'test files that are to be played; all that drive workflows without')
  .option('--keep', 'keep what is there and add only what it lacks: once a build has shipped, its histories stay')
  .action(async (tests: string[], { keep }: { keep?: true }) => {
    const folder = mkdtempSync(join(tmpdir(), 'throughline-histories-'));
    try {
      if (tests.length > 0 && keep !== true) throw new Error('histories of single tests are only added: say --keep');
      process.exitCode = await capture(folder, tests.length > 0 ? tests : DRIVING, keep === true);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  })
  .parseAsync();

async function capture(folder: string, tests: readonly string[], keep: boolean): Promise<number> {
  const jest = join(PROJECT, 'node_modules', 'jest', 'bin', 'jest.js');
  const env = { ...process.env, THROUGHLINE_CAPTURE_FOLDER: folder };
  const run = spawnSync(process.execPath, [jest, ...tests, '--testPathIgnorePatterns', '/node_modules/'], {
    cwd: PROJECT,
    env,
    stdio: 'inherit',
  });
  if (run.status !== 0) return fail('The tests that drive the workflows fail; nothing was captured.');
  const captured = readdirSync(folder).map((name) => read(folder, name));
  if (captured.length === 0) return fail('The tests ran, but left no history.');
  // A run that its own code does not replay would stop for good when its worker is lost.
  const { failures } = await replayCorpus(await workflowBundle(), corpus(folder));
  if (failures.length > 0) return fail(failures.map(({ name, error }) => `${name} does not replay: ${error.message}`).join('\n'));
  if (!keep) rmSync(CORPUS, { recursive: true, force: true });
  mkdirSync(CORPUS, { recursive: true });
  const kept = readdirSync(CORPUS).map((name) => read(CORPUS, name));
  const chosen = covering(captured, kept, LIMITS);
  for (const { name, content } of chosen) writeFileSync(join(CORPUS, name), content);
  const all = [...kept, ...chosen];
  const bytes = all.reduce((sum, { content }) => sum + content.length, 0);
  process.stdout.write(
    `${captured.length} histories captured, ${chosen.length} written; the corpus has ${all.length} of ${bytes} bytes.\n`,
  );
  return 0;
}

function read(folder: string, file: string): CapturedHistory {
  const text = withoutTraces(gunzipSync(readFileSync(join(folder, file))).toString('utf8'));
  const steps = stepsOf(text);
  const type = file.split(/[.-]/)[0] ?? '';
  return { type, steps, name: `${type}-${shapeOf(steps)}.json.gz`, content: gzipSync(text, { level: 9 }) };
}

function fail(why: string): number {
  process.stderr.write(`${why}\n`);
  return 1;
}
