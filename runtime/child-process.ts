import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

export interface ServerCommand {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Record<string, string | undefined>;
  readonly uid?: number;
  readonly gid?: number;
  readonly logFile: string;
}

export interface ServerProcess {
  readonly pid: number;
  hasExited(): boolean;
  /** Asks it to stop, and ends it after `patienceMs`. Resolves when it is gone; harmless when it already is. */
  end(signal: NodeJS.Signals, patienceMs: number): Promise<void>;
  /** The last lines of its log, for error messages. */
  tail(): string;
}

/**
 * Starts a server that must not outlive us. It runs in its own process group, so Ctrl-C reaches only us and we can drain first;
 * if we are killed outright, a small shell that waits on a pipe to us sees it close and stops the server.
 */
export async function startServer(server: ServerCommand): Promise<ServerProcess> {
  mkdirSync(dirname(server.logFile), { recursive: true });
  const log = openSync(server.logFile, 'a');
  const child = spawn(server.command, server.args, {
    cwd: process.platform === 'win32' ? undefined : '/',
    env: server.env ?? process.env,
    stdio: ['ignore', log, log],
    detached: true,
    ...(server.uid === undefined ? {} : { uid: server.uid }),
    ...(server.gid === undefined ? {} : { gid: server.gid }),
  });
  closeSync(log);
  await once(child, 'spawn');
  const pid = child.pid as number;
  const gone = child.exitCode === null ? once(child, 'exit') : Promise.resolve();
  const endWatch = watchFor(pid);
  void gone.then(endWatch);
  child.unref();
  const hasExited = (): boolean => child.exitCode !== null || child.signalCode !== null;
  return {
    pid,
    hasExited,
    tail: () => tailOf(server.logFile),
    end: async (signal, patienceMs) => {
      if (hasExited()) return;
      child.ref();
      child.kill(signal);
      const impatient = setTimeout(() => child.kill('SIGKILL'), patienceMs);
      await gone;
      clearTimeout(impatient);
    },
  };
}

/** Waits until `isReady` says so; throws with the server's last log lines when it exits or takes longer than `timeoutMs`. */
export async function untilReady(name: string, server: ServerProcess, timeoutMs: number, isReady: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await isReady())) {
    if (server.hasExited()) throw new Error(`${name} ended while starting. Its last words:\n${server.tail()}`);
    if (Date.now() > deadline) throw new Error(`${name} was not ready after ${timeoutMs / 1000} s. Its last words:\n${server.tail()}`);
    await delay(25);
  }
}

const stopWhenPipeCloses = 'read -r line; kill -s INT "$1" 2>/dev/null || exit 0; sleep 10; kill -s KILL "$1" 2>/dev/null';

function watchFor(pid: number): () => void {
  if (process.platform === 'win32') return () => undefined;
  const watch = spawn('/bin/sh', ['-c', stopWhenPipeCloses, 'watch', String(pid)], {
    cwd: '/',
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  watch.once('error', () => undefined);
  watch.stdin.once('error', () => undefined);
  watch.unref();
  (watch.stdin as unknown as { unref(): void }).unref();
  return () => void watch.kill('SIGKILL');
}

function tailOf(logFile: string): string {
  if (!existsSync(logFile)) return '(no log)';
  return readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-15).join('\n');
}
