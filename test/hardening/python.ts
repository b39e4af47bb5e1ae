import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

const REQUIREMENTS = join(__dirname, 'schemathesis', 'requirements.txt');
const CANDIDATES = ['python3.13', 'python3.12', 'python3.11', 'python3', 'python'];

/** Python is missing or too old, or its packages cannot be installed; the message says what to do. */
export class NoPython extends Error {
  override readonly name = 'NoPython';
}

/**
 * The folder of programs of a private virtual environment with the pinned packages, each checked by its hash; made on first use in the
 * project's cache folder and used again until the pins change.
 */
export function pythonPrograms(say: (line: string) => void): string {
  const pins = createHash('sha256').update(readFileSync(REQUIREMENTS)).digest('hex').slice(0, 16);
  const cache = process.env.THROUGHLINE_CACHE_DIR ?? join(homedir(), '.cache', 'throughline');
  const environment = join(cache, `schemathesis-${pins}`);
  const programs = join(environment, process.platform === 'win32' ? 'Scripts' : 'bin');
  if (existsSync(programs)) return programs;
  const python = usablePython();
  say(`installing schemathesis into ${environment} …`);
  mkdirSync(cache, { recursive: true });
  const making = `${environment}.${process.pid}`;
  run(python, ['-m', 'venv', making], 'Its module venv is needed (on Debian: apt install python3-venv).');
  const pip = [
    '-m',
    'pip',
    'install',
    '--quiet',
    '--disable-pip-version-check',
    '--require-hashes',
    '--only-binary',
    ':all:',
    '-r',
    REQUIREMENTS,
  ];
  try {
    run(
      join(making, process.platform === 'win32' ? 'Scripts' : 'bin', 'python'),
      pip,
      'PyPI, or the index of PIP_INDEX_URL, must be reachable.',
    );
    // Programs of a virtual environment name its folder, so they are called as modules.
    renameSync(making, environment);
  } catch (error) {
    rmSync(making, { recursive: true, force: true });
    throw error;
  }
  return programs;
}

/** Runs a module of the environment; gives its exit code and what it printed. */
export async function runModule(
  programs: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly env: Readonly<Record<string, string>>; readonly timeoutMs: number },
): Promise<{ code: number; output: string }> {
  const { cwd, env, timeoutMs } = options;
  const child = spawn(join(programs, 'python'), ['-m', ...args], { cwd, env: { ...process.env, ...env }, timeout: timeoutMs });
  const pieces: Buffer[] = [];
  child.stdout.on('data', (piece: Buffer) => pieces.push(piece));
  child.stderr.on('data', (piece: Buffer) => pieces.push(piece));
  const code = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exit, signal) => resolve(signal === null ? (exit ?? 1) : 124));
  });
  const ended = code === 124 ? `\n${args[0] ?? ''} had not come to its end after ${timeoutMs / 1000} s` : '';
  return { code, output: Buffer.concat(pieces).toString('utf8') + ended };
}

function usablePython(): string {
  const found = CANDIDATES.find((name) => spawnSync(name, ['-c', 'import sys; sys.exit(sys.version_info < (3, 11))']).status === 0);
  if (found !== undefined) return found;
  throw new NoPython(`Python 3.11 or newer is needed for schemathesis, tried ${CANDIDATES.join(', ')}; install it, or run -- --only fuzz.`);
}

function run(program: string, args: readonly string[], hint: string): void {
  const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8' });
  if (status === 0) return;
  throw new NoPython(`${program} ${args.slice(0, 3).join(' ')} failed. ${hint}\n${(error?.message ?? stderr ?? '').slice(-1500)}`);
}
