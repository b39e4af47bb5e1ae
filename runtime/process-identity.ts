import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

export interface ProcessIdentity {
  readonly pid: number;
  /** Opaque; two processes that share a number never share it. */
  readonly startedAt: string;
  readonly command: string;
}

/** Who a process number is now; undefined when there is no such process. Reads /proc, or asks `ps` where there is none. */
export function identify(pid: number): ProcessIdentity | undefined {
  try {
    if (existsSync('/proc/self/stat')) {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      if (fields[0] === 'Z') return undefined;
      return { pid, startedAt: fields[19] ?? '', command: readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim() };
    }
    const said = execFileSync('ps', ['-o', 'lstart=', '-o', 'args=', '-p', String(pid)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
    return { pid, startedAt: said.slice(0, 24), command: said.slice(24).trim() };
  } catch (error) {
    // Gone is one answer, unreadable another: who cannot be asked must not be taken for dead.
    if (GONE.includes((error as NodeJS.ErrnoException).code ?? '') || !existsSync('/proc/self/stat')) return undefined;
    throw error;
  }
}

const GONE = ['ENOENT', 'ESRCH'];

/** A number alone may belong to another program by now; its start moment tells. */
export function isSameProcess(before: Pick<ProcessIdentity, 'pid' | 'startedAt'>): boolean {
  return identify(before.pid)?.startedAt === before.startedAt;
}

/** Ends a process that a killed predecessor of ours left behind. */
export async function endLeftover(pid: number, signal: NodeJS.Signals, patienceMs: number): Promise<void> {
  const deadline = Date.now() + patienceMs;
  send(pid, signal);
  while (identify(pid) !== undefined && Date.now() < deadline) await delay(25);
  if (identify(pid) !== undefined) send(pid, 'SIGKILL');
  while (identify(pid) !== undefined && Date.now() < deadline + 2000) await delay(25);
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
