import { randomBytes } from 'node:crypto';
import { linkSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { identify, isSameProcess, type ProcessIdentity } from './process-identity';

type Owner = Pick<ProcessIdentity, 'pid' | 'startedAt'>;

/** A folder that this process alone holds. */
export interface FolderLock {
  /** Gives the folder back; harmless when it was given back before, also where somebody else holds it now. */
  release(): void;
}

const NAME = /^stack\.lock\.(\d+)$/;

/**
 * Takes a folder for this process, or gives the number of the living process that holds it. Of any number of processes that ask at once
 * exactly one gets it, also when its last holder was killed: each holder has a file with a number of its own, made whole and only where
 * none of that number is; the highest number holds, and is never removed but by a higher one.
 */
export function lockFolder(folder: string): FolderLock | { readonly heldBy: number } {
  const mine = join(folder, `stack.lock.new-${process.pid}-${randomBytes(4).toString('hex')}`);
  writeFileSync(mine, JSON.stringify({ pid: process.pid, startedAt: identify(process.pid)?.startedAt ?? '' } satisfies Owner));
  try {
    for (;;) {
      const last = highest(folder);
      const holder = folderHolder(folder);
      if (holder !== null) return { heldBy: holder };
      if (!placed(mine, fileOf(folder, last + 1))) continue;
      if (highest(folder) === last + 1) return held(folder, last + 1);
      rmSync(fileOf(folder, last + 1), { force: true }); // The number had been used and removed: others are further.
    }
  } finally {
    rmSync(mine, { force: true });
  }
}

/** The number of the living process that holds a folder; null where none does. */
export function folderHolder(folder: string): number | null {
  const owner = ownerIn(fileOf(folder, highest(folder)));
  return owner !== null && isSameProcess(owner) ? owner.pid : null;
}

/** Files of the lock itself, which stay when everything else of a folder is emptied. */
export function isLockFile(name: string): boolean {
  return name.startsWith('stack.lock.');
}

function held(folder: string, number: number): FolderLock {
  for (const lower of numbers(folder)) if (lower < number) rmSync(fileOf(folder, lower), { force: true });
  let isHeld = true;
  return {
    release: () => {
      const file = fileOf(folder, number);
      if (!isHeld || ownerIn(file) === null) return;
      isHeld = false;
      writeFileSync(`${file}.free`, '{}');
      renameSync(`${file}.free`, file);
    },
  };
}

/** False where the file is there already. */
function placed(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Who a lock file names; null for one that was given back, is gone, or was torn by a power cut: each is placed whole. */
function ownerIn(file: string): Owner | null {
  try {
    const { pid, startedAt } = JSON.parse(readFileSync(file, 'utf8')) as Partial<Owner>;
    return pid === undefined || startedAt === undefined ? null : { pid, startedAt };
  } catch (error) {
    if (error instanceof SyntaxError || isMissing(error)) return null;
    throw error;
  }
}

function highest(folder: string): number {
  return Math.max(0, ...numbers(folder));
}

function numbers(folder: string): number[] {
  try {
    return readdirSync(folder).flatMap((name) => NAME.exec(name)?.[1] ?? []).map(Number); // prettier-ignore
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}

function fileOf(folder: string, number: number): string {
  return join(folder, `stack.lock.${number}`);
}
