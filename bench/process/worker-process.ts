import { type ChildProcess, fork } from 'node:child_process';
import { openSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type BenchStack } from './stack';

/** A worker in a process of its own, as in production. */
export interface WorkerProcess {
  readonly pid: number;
  stop(): Promise<void>;
}

/** As `npm run build` leaves them: workers run without a compiler, as in production. */
const BUILT = resolve(__dirname, '..', '..', 'build', 'js', 'bench', 'process');

export type WorkerKind = 'product' | 'bare';

/** Starts `npm start`'s process without the API (product) or a worker of the bare workflows; resolves when it polls. */
export async function startWorkerProcess(
  stack: Pick<BenchStack, 'environment'>,
  kind: WorkerKind,
  more: Record<string, string> = {},
): Promise<WorkerProcess> {
  const child = spawnWorker(stack, kind, more);
  await ready(child, kind);
  return {
    pid: child.pid ?? 0,
    stop: () => stopWorker(child),
  };
}

/** Ends it as a deploy would, and by force where it does not end. */
export async function stopWorker(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  const force = setTimeout(() => child.kill('SIGKILL'), 15_000);
  await ended;
  clearTimeout(force);
}

/** The process alone; nobody waits until it polls. With BENCH_PROFILE=FOLDER its CPU profile and its log are kept there. */
export function spawnWorker(stack: Pick<BenchStack, 'environment'>, kind: WorkerKind, more: Record<string, string> = {}): ChildProcess {
  const shipped = asShipped();
  const environment = { ...process.env, ...shipped.variables, ...stack.environment, ...more };
  const { BENCH_PROFILE: profiles } = process.env;
  const execArgv = [...shipped.flags, ...(profiles ? ['--cpu-prof', `--cpu-prof-dir=${profiles}`] : [])];
  const log = profiles ? openSync(join(profiles, `${kind}.log`), 'a') : 'ignore';
  return fork(join(BUILT, `${kind}-worker.js`), [], { env: environment, execArgv, stdio: ['ignore', log, 'inherit', 'ipc'] });
}

/** As the image starts Node, so that what is measured is what is shipped. */
function asShipped(): { readonly flags: string[]; readonly variables: Record<string, string> } {
  const image = readFileSync(resolve(__dirname, '..', '..', 'Dockerfile'), 'utf8');
  const flags = image.match(/--max-[\w-]+=\d+/g) ?? [];
  const [, arenas = ''] = /\bMALLOC_ARENA_MAX=(\d+)/.exec(image) ?? [];
  return { flags, variables: { MALLOC_ARENA_MAX: arenas } };
}

function ready(child: ChildProcess, kind: WorkerKind): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('message', () => resolve());
    child.once('exit', (code) => reject(new Error(`the ${kind} worker ended with ${code}`)));
  });
}
