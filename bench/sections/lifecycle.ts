import { setTimeout as delay } from 'node:timers/promises';
import { type Bare } from '../bare/bench-bare';
import { playBare } from '../bare/outside';
import { median, quantile, rounded } from '../figures';
import { playDeals } from '../lifecycle/people';
import { names, type OneLifecycle } from '../lifecycle/product';
import { type BenchStack } from '../process/stack';
import { cpuSeconds } from '../process/usage';
import { type WorkerProcess } from '../process/worker-process';

/** CPU of user and system in milliseconds. */
interface Cpu {
  readonly server: number;
  readonly worker: number;
  readonly client: number;
  readonly postgres: number;
}

interface Round {
  readonly perSecond: number;
  readonly cpuMs: Cpu;
  readonly updateMs: readonly number[];
}

export interface LifecycleOptions {
  readonly rounds: number;
  readonly count: number;
  readonly atOnce: number;
  readonly say: (line: string) => void;
}

/** What is put off (answers to the server, anchors, exports) is done within so long. */
const AFTERWARDS_MS = 2000;

/** Lifecycles of the product and bare ones, alternately on the same servers; medians over the rounds. */
export async function benchLifecycles(stack: BenchStack, one: OneLifecycle, bare: Bare, options: LifecycleOptions) {
  const { count, atOnce, say } = options;
  const productWorker = await stack.startProduct();
  const bareWorker = await bare.startWorker();
  try {
    const ours: Round[] = [];
    const theirs: Round[] = [];
    for (let round = 0; round <= options.rounds; round += 1) {
      const mine = names(`R${round}`, count);
      const product = await measured(stack, productWorker, count, () => playDeals(stack, mine, { atOnce }));
      const limit = await measured(stack, bareWorker, count, () => playBare(bare.options, mine, { atOnce }));
      say(`${round === 0 ? 'warm-up' : `round ${round}`}: product ${lineOf(product)}; bare ${lineOf(limit)}`);
      if (round > 0) ours.push(product);
      if (round > 0) theirs.push(limit);
    }
    return { lifecycle: figuresOf(one, bare, ours, theirs), update: latencies(ours, theirs) };
  } finally {
    await productWorker.stop();
    await bareWorker.stop();
  }
}

async function measured(
  stack: BenchStack,
  worker: WorkerProcess,
  count: number,
  play: () => Promise<{ seconds: number; updateMs: readonly number[] }>,
): Promise<Round> {
  const before = used(stack, worker);
  const { seconds, updateMs } = await play();
  await delay(AFTERWARDS_MS);
  const after = used(stack, worker);
  const per = (part: keyof Cpu): number => ((after[part] - before[part]) * 1000) / count;
  return {
    perSecond: count / seconds,
    cpuMs: { server: per('server'), worker: per('worker'), client: per('client'), postgres: per('postgres') },
    updateMs,
  };
}

function used({ servers }: BenchStack, worker: WorkerProcess): Cpu {
  const { user, system } = process.cpuUsage();
  return {
    server: cpuSeconds(servers.processes.temporal.pid),
    worker: cpuSeconds(worker.pid),
    client: (user + system) / 1e6,
    postgres: cpuSeconds(servers.processes.postgres.pid, true),
  };
}

const total = ({ server, worker, client, postgres }: Cpu): number => server + worker + client + postgres;

function lineOf({ perSecond, cpuMs }: Round): string {
  return `${perSecond.toFixed(2)}/s, ${total(cpuMs).toFixed(0)} CPU ms`;
}

function figuresOf(one: OneLifecycle, bare: Bare, ours: readonly Round[], theirs: readonly Round[]) {
  const ratios = (of: (round: Round) => number): number => median(ours.map((round, index) => of(round) / of(theirs[index] ?? round)));
  const { counts } = one;
  return {
    perSecond: withBare(median(ours.map((round) => round.perSecond)), median(theirs.map((round) => round.perSecond))),
    rateRatio: rounded(ratios((round) => round.perSecond)),
    cpuMs: withBare(median(ours.map(({ cpuMs }) => total(cpuMs))), median(theirs.map(({ cpuMs }) => total(cpuMs)))),
    cpuRatio: rounded(ratios(({ cpuMs }) => total(cpuMs))),
    cpuParts: { value: parts(ours), bare: parts(theirs) },
    effects: one.effects,
    commits: withBare(one.commits, one.commits),
    ...Object.fromEntries((Object.keys(counts) as (keyof typeof counts)[]).map((kind) => [kind, counts[kind]])),
    bareCounts: bare.counts,
  };
}

function parts(rounds: readonly Round[]): Cpu {
  const part = (name: keyof Cpu): number => rounded(median(rounds.map(({ cpuMs }) => cpuMs[name])), 1);
  return { server: part('server'), worker: part('worker'), client: part('client'), postgres: part('postgres') };
}

function latencies(ours: readonly Round[], theirs: readonly Round[]) {
  const at = (rounds: readonly Round[], share: number): number =>
    quantile(
      rounds.flatMap((round) => round.updateMs),
      share,
    );
  return { p50Ms: withBare(at(ours, 0.5), at(theirs, 0.5)), p99Ms: withBare(at(ours, 0.99), at(theirs, 0.99)) };
}

/** A figure with its bare one beside it. */
export function withBare(value: number, bare: number): { readonly value: number; readonly bare: number } {
  return { value: rounded(value), bare: rounded(bare) };
}
