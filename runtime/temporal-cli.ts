import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { OperatorError } from './operator-error';
import { buildTemporalCli, downloadTemporalCli, fetchOnce } from './temporal-cli-fetch';

/** The release of the official CLI that the cache, the download and the build use, and the server inside it. */
export const pinnedCliVersion = '1.9.1';
export const pinnedServerVersion = '1.32.0';

export interface TemporalCliOptions {
  readonly cliPath?: string | undefined;
  readonly cacheDir?: string | undefined;
  /** For PATH, HOME and XDG_CACHE_HOME. */
  readonly env?: Record<string, string | undefined>;
  readonly onProgress?: (line: string) => void;
  /** Where releases are downloaded from. */
  readonly releases?: string;
  /** Looks only at what is already here: neither downloads nor builds. */
  readonly offline?: boolean;
}

export interface TemporalCli {
  readonly path: string;
  readonly source: 'TEMPORAL_CLI_PATH' | 'PATH' | 'cache' | 'download' | 'build';
  readonly serverVersion: string;
}

/** No usable `temporal` binary: says what was tried and what to do. */
export class TemporalCliError extends OperatorError {
  override readonly name = 'TemporalCliError';
  constructor(readonly attempts: readonly string[]) {
    const advice =
      `Install Go 1.26 or newer, or download the Temporal CLI ${pinnedCliVersion} yourself and set TEMPORAL_CLI_PATH to it; ` +
      'or set TEMPORAL_ADDRESS and DATABASE_URL to use servers of your own.';
    super(['No usable temporal binary. Tried:', ...attempts.map((attempt) => `  - ${attempt}`), advice].join('\n'));
  }
}

/**
 * Finds or gets a `temporal` binary, in this order: TEMPORAL_CLI_PATH (which, when set, must work); the PATH, when its server is
 * at least the pinned one; the cache; the official download; building the official Go module. Throws `TemporalCliError`.
 */
export async function resolveTemporalCli(options: TemporalCliOptions = {}): Promise<TemporalCli> {
  const env = options.env ?? process.env;
  const attempts: string[] = [];
  if (options.cliPath !== undefined) return namedCli(options.cliPath);

  const onPath = findOnPath(env);
  if (onPath === undefined) attempts.push('PATH: there is no temporal');
  else {
    const found = await serverVersionOf(onPath);
    if (found.version !== undefined && isAtLeast(found.version, pinnedServerVersion))
      return { path: onPath, source: 'PATH', serverVersion: found.version };
    attempts.push(
      `PATH: ${onPath} ${found.version === undefined ? found.problem : `holds server ${found.version}, older than ${pinnedServerVersion}`}`,
    );
  }

  const target = cachedCliPath(options.cacheDir, env);
  const cached = await fromCache(target, attempts);
  if (cached !== undefined) return cached;
  if (options.offline === true) throw new TemporalCliError(attempts);
  return fetchOnce(target, options.onProgress ?? (() => undefined), async (progress) => {
    const meanwhile = await fromCache(target, []);
    return meanwhile ?? (await obtain(target, options.releases, env, attempts, progress));
  });
}

/** Where the binary of the pinned release is kept: `<cache>/throughline/temporal-<version>/temporal`. */
export function cachedCliPath(cacheDir?: string, env: Record<string, string | undefined> = process.env): string {
  const root = cacheDir ?? env.XDG_CACHE_HOME ?? join(env.HOME ?? homedir(), '.cache');
  return join(root, 'throughline', `temporal-${pinnedCliVersion}`, process.platform === 'win32' ? 'temporal.exe' : 'temporal');
}

async function namedCli(path: string): Promise<TemporalCli> {
  const found = await serverVersionOf(path);
  if (found.version === undefined) throw new TemporalCliError([`TEMPORAL_CLI_PATH: ${path} ${found.problem}`]);
  return { path, source: 'TEMPORAL_CLI_PATH', serverVersion: found.version };
}

async function fromCache(target: string, attempts: string[]): Promise<TemporalCli | undefined> {
  if (!existsSync(target)) {
    attempts.push(`cache: ${target} does not exist`);
    return undefined;
  }
  const found = await serverVersionOf(target);
  if (found.version !== undefined) return { path: target, source: 'cache', serverVersion: found.version };
  attempts.push(`cache: ${target} ${found.problem}`);
  return undefined;
}

async function obtain(
  target: string,
  releases: string | undefined,
  env: Record<string, string | undefined>,
  attempts: string[],
  progress: (line: string) => void,
): Promise<TemporalCli> {
  const ways = [
    { source: 'download' as const, get: () => downloadTemporalCli(target, pinnedCliVersion, progress, releases) },
    { source: 'build' as const, get: () => buildTemporalCli(target, pinnedCliVersion, env, progress) },
  ];
  for (const { source, get } of ways) {
    const problem = await get().then(
      () => undefined,
      (error: unknown) => (error as Error).message,
    );
    const found = problem === undefined ? await serverVersionOf(target) : { version: undefined, problem };
    if (found.version !== undefined) return { path: target, source, serverVersion: found.version };
    attempts.push(`${source}: ${found.problem}`);
    progress(`${source} of temporal failed: ${found.problem.split('\n')[0]}`);
  }
  throw new TemporalCliError(attempts);
}

function findOnPath(env: Record<string, string | undefined>): string | undefined {
  const name = process.platform === 'win32' ? 'temporal.exe' : 'temporal';
  const folders = (env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  return folders.map((folder) => join(folder, name)).find((candidate) => existsSync(candidate));
}

type Version = { readonly version: string; readonly problem: '' } | { readonly version: undefined; readonly problem: string };

/** A binary built from the module calls itself 0.0.0, so the server's version is the one to compare. */
async function serverVersionOf(path: string): Promise<Version> {
  try {
    const { stdout } = await promisify(execFile)(path, ['--version'], { timeout: 15_000 });
    const version = /Server (\d+\.\d+\.\d+)/.exec(stdout)?.[1];
    return version === undefined
      ? { version, problem: `does not tell its server version: ${stdout.trim().slice(0, 80)}` }
      : { version, problem: '' };
  } catch (error) {
    const { code, killed } = error as NodeJS.ErrnoException & { killed?: boolean };
    return { version: undefined, problem: `cannot be run (${killed === true ? 'no answer in 15 s' : String(code)})` };
  }
}

function isAtLeast(version: string, least: string): boolean {
  const order = version.localeCompare(least, 'en', { numeric: true });
  return order >= 0;
}
