import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { folderHolder, isLockFile, lockFolder } from '../runtime/folder-lock';

/** Says that a folder was made by a play and may be emptied by the next one. */
const MARKER = 'played-deal.json';

/**
 * Makes a data folder ready for a play: empty, or as it was left where the play is resumed. A folder that is not a play's own is never
 * emptied, nor one on which a stack is running: throws, saying so.
 */
export function preparePlayData(dataDir: string, input: { readonly folder: string; readonly resume: boolean }): string {
  const path = resolve(dataDir);
  if (folderHolder(path) !== null) throw inUse(path);
  const own = existsSync(join(path, MARKER));
  if (input.resume) {
    if (!own) throw new Error(`There is nothing to resume in ${path}.`);
    return path;
  }
  const used = existsSync(path) && readdirSync(path).length > 0;
  if (used && !own) throw new Error(`${path} is not empty and was not made by a play; name another folder by --data-dir.`);
  mkdirSync(path, { recursive: true });
  const lock = lockFolder(path);
  if ('heldBy' in lock) throw inUse(path);
  try {
    for (const name of readdirSync(path)) if (!isLockFile(name)) rmSync(join(path, name), { recursive: true, force: true });
    writeFileSync(join(path, MARKER), `${JSON.stringify({ folder: resolve(input.folder) })}\n`);
  } finally {
    lock.release();
  }
  return path;
}

function inUse(path: string): Error {
  return new Error(`A stack is running on ${path}; end it first (Ctrl-C), or name another folder by --data-dir.`);
}
