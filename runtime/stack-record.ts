import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { folderHolder, lockFolder } from './folder-lock';
import { OperatorError } from './operator-error';
import { endLeftover, identify } from './process-identity';

/** What `stack.json` in the data folder says while a stack runs, and (for its ports) after it ended. */
export interface StackRecord {
  readonly databaseUrl: string;
  readonly temporalAddress: string;
  readonly uiUrl?: string | undefined;
  readonly namespace: string;
  readonly pids: { readonly postgres: number; readonly temporal: number };
  readonly ports: { readonly postgres: number; readonly temporal: number; readonly ui?: number | undefined };
}

/** The stack that a living process runs on this folder, if any; for programs that want to talk to it. */
export function runningStack(dataDir: string): StackRecord | undefined {
  return folderHolder(dataDir) === null ? undefined : lastRecord(dataDir);
}

export interface ClaimedFolder {
  /** What the last stack on the folder was. */
  readonly before: StackRecord | undefined;
  release(): void;
}

/**
 * Makes this process the only one that runs a stack on the folder, ends what a killed predecessor left running, and returns its record.
 * Throws when a living process holds the folder.
 */
export async function claimFolder(dataDir: string): Promise<ClaimedFolder> {
  const lock = lockFolder(dataDir);
  if ('heldBy' in lock)
    throw new OperatorError(
      `The embedded stack in ${dataDir} is already running (process ${lock.heldBy}). Stop it, or set THROUGHLINE_DATA_DIR to another folder.`,
    );
  const before = lastRecord(dataDir);
  // Postgres finds its own leftover by postmaster.pid; a Temporal server that was left behind holds its file and port.
  const left = before === undefined ? undefined : identify(before.pids.temporal);
  if (left?.command.includes('server start-dev') === true) await endLeftover(left.pid, 'SIGINT', 5000);
  return { before, release: () => lock.release() };
}

export function writeRecord(dataDir: string, record: StackRecord): void {
  const file = join(dataDir, 'stack.json');
  writeFileSync(`${file}.new`, `${JSON.stringify(record, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

function lastRecord(dataDir: string): StackRecord | undefined {
  return readJson<StackRecord>(join(dataDir, 'stack.json'));
}

function readJson<T>(file: string): T | undefined {
  if (!existsSync(file)) return undefined;
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as T;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
