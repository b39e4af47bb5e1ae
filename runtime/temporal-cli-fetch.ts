import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { identify } from './process-identity';

type Progress = (line: string) => void;

const officialReleases = 'https://github.com/temporalio/cli/releases/download';

/** Downloads the official release, checks it against the published checksums, and places it atomically at `target`. */
export async function downloadTemporalCli(
  target: string,
  version: string,
  progress: Progress,
  releases: string = officialReleases,
): Promise<void> {
  const system = process.platform === 'win32' ? 'windows' : process.platform;
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
  const archive = `temporal_cli_${version}_${system}_${architecture}.${system === 'windows' ? 'zip' : 'tar.gz'}`;
  const base = `${releases}/v${version}`;
  progress(`Downloading the Temporal CLI ${version} from ${base}`);
  const checksums = (await get(`${base}/checksums.txt`, 15_000)).toString('utf8');
  const expected = checksums
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .find((columns) => columns[1] === archive)?.[0];
  if (expected === undefined) throw new Error(`the release has no archive ${archive}`);
  const content = await get(`${base}/${archive}`, 180_000);
  const actual = createHash('sha256').update(content).digest('hex');
  if (actual !== expected) throw new Error(`${archive} has checksum ${actual}, the release says ${expected}`);
  await inTemporaryFolder(target, async (folder) => {
    const file = join(folder, archive);
    writeFileSync(file, content);
    await promisify(execFile)('tar', ['-xf', file, '-C', folder, basename(target)]);
    place(join(folder, basename(target)), target);
  });
}

/** Builds the official CLI from the Go module that this project carries, and places it atomically at `target`. */
export async function buildTemporalCli(
  target: string,
  version: string,
  env: Record<string, string | undefined>,
  progress: Progress,
): Promise<void> {
  const module = [resolve(__dirname, '..'), resolve(__dirname, '..', '..'), process.cwd()]
    .map((folder) => join(folder, 'deploy', 'temporal-cli'))
    .find((folder) => existsSync(join(folder, 'go.mod')));
  if (module === undefined) throw new Error('deploy/temporal-cli is missing');
  progress(`Building the Temporal CLI ${version} with Go; this takes 2 to 4 minutes the first time`);
  const started = Date.now();
  const ticker = setInterval(
    () => progress(`Building the Temporal CLI ${version}: ${Math.round((Date.now() - started) / 1000)} s so far`),
    15_000,
  );
  try {
    await inTemporaryFolder(target, async (folder) => {
      const binary = join(folder, basename(target));
      await run('go', ['build', '-trimpath', '-ldflags', '-s -w', '-o', binary, 'github.com/temporalio/cli/cmd/temporal'], module, env);
      place(binary, target);
    });
  } finally {
    clearInterval(ticker);
  }
}

/** Lets one process at a time get the binary; the others wait and then find it in the cache. */
export async function fetchOnce<T>(target: string, progress: Progress, work: (progress: Progress) => Promise<T>): Promise<T> {
  const lock = `${dirname(target)}.lock`;
  mkdirSync(dirname(lock), { recursive: true });
  for (let waited = 0; !takeLock(lock); waited += 1) {
    if (waited === 0) progress('Another process is getting the Temporal CLI; waiting for it');
    await delay(500);
  }
  try {
    return await work(progress);
  } finally {
    rmSync(lock, { force: true });
  }
}

function takeLock(lock: string): boolean {
  try {
    const file = openSync(lock, 'wx');
    writeSync(file, String(process.pid));
    closeSync(file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    const holder = Number(existsSync(lock) ? readFileSync(lock, 'utf8') : '');
    if (holder > 0 && identify(holder) === undefined) rmSync(lock, { force: true });
    return false;
  }
}

async function get(url: string, timeoutMs: number): Promise<Buffer> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) });
    if (!response.ok) throw new Error(`answered ${response.status}`);
    return Buffer.from(await response.arrayBuffer());
  } catch (error) {
    const { message, cause } = error as Error;
    throw new Error(`${url}: ${cause instanceof Error ? cause.message : message}`, { cause: error });
  }
}

async function inTemporaryFolder(target: string, work: (folder: string) => Promise<void>): Promise<void> {
  mkdirSync(dirname(dirname(target)), { recursive: true });
  const folder = mkdtempSync(`${dirname(target)}-new-`);
  try {
    await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function place(binary: string, target: string): void {
  chmodSync(binary, 0o755);
  mkdirSync(dirname(target), { recursive: true });
  renameSync(binary, target);
}

async function run(command: string, args: readonly string[], cwd: string, env: Record<string, string | undefined>): Promise<void> {
  const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'ignore', 'pipe'], timeout: 900_000 });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-2000)));
  const [code] = (await once(child, 'close').catch((error: NodeJS.ErrnoException) => {
    throw new Error(error.code === 'ENOENT' ? `${command} is not installed` : error.message);
  })) as [number | null];
  if (code !== 0) throw new Error(`${command} build ended with ${code ?? 'a signal'}: ${said.trim().split('\n').slice(-3).join(' ')}`);
}
