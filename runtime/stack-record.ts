import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { endLeftover, identify, isSameProcess, type ProcessIdentity } from './process-identity';

type Owner = Pick<ProcessIdentity, 'pid' | 'startedAt'>;

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
  const holder = readJson<Owner>(join(dataDir, 'stack.lock'));
  return holder !== undefined && isSameProcess(holder) ? lastRecord(dataDir) : undefined;
}

/**
 * Makes this process the only one that runs a stack on the folder, ends what a killed predecessor left running, and returns its record.
 * Throws when a living process holds the folder.
 */
export async function claimFolder(dataDir: string): Promise<StackRecord | undefined> {
  const lock = join(dataDir, 'stack.lock');
  const me = JSON.stringify({ pid: process.pid, startedAt: identify(process.pid)?.startedAt ?? '' } satisfies Owner);
  if (!writeNew(lock, me)) {
    const holder = await livingHolder(lock);
    if (holder !== undefined) {
      throw new Error(
        `The embedded stack in ${dataDir} is already running (process ${holder.pid}). Stop it, or set THROUGHLINE_DATA_DIR to another folder.`,
      );
    }
    writeFileSync(lock, me);
  }
  const before = lastRecord(dataDir);
  // Postgres finds its own leftover by postmaster.pid; a Temporal server that was left behind holds its file and port.
  const left = before === undefined ? undefined : identify(before.pids.temporal);
  if (left?.command.includes('server start-dev') === true) await endLeftover(left.pid, 'SIGINT', 5000);
  return before;
}

/** Whoever holds the lock and lives; looked at again before it is taken for dead, because taking it from a living stack loses data. */
async function livingHolder(lock: string): Promise<Owner | undefined> {
  for (let look = 0; look < 3; look += 1) {
    const holder = readJson<Owner>(lock);
    if (holder !== undefined && isSameProcess(holder)) return holder;
    await delay(50);
  }
  return undefined;
}

export function releaseFolder(dataDir: string): void {
  rmSync(join(dataDir, 'stack.lock'), { force: true });
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

function writeNew(file: string, content: string): boolean {
  try {
    writeFileSync(file, content, { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}
