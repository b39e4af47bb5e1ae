import { setTimeout as delay } from 'node:timers/promises';
import { lineWorkflowId } from '../../domain/ids';
import { recheckLineSignal } from '../../workflows/contract-line/messages';
import { type Bare } from '../bare/bench-bare';
import { bareWorkflowId, wakeSignal } from '../bare/interpreter';
import { playBare } from '../bare/outside';
import { wakesOf } from '../bare/rows';
import { playDeals } from '../lifecycle/people';
import { names } from '../lifecycle/product';
import { MOMENT } from '../lifecycle/standard-deal';
import { type BenchStack } from '../process/stack';
import { cpuSeconds, rssMb } from '../process/usage';
import { type WorkerProcess } from '../process/worker-process';
import { withBare } from './lifecycle';

interface Held {
  readonly mb: number;
  readonly wakeMs: number;
}

const AT_ONCE = 16;
const SETTLE_MS = 3000;

/**
 * A worker, just started and with the cache as shipped, that has brought deals to their delivery and holds them open; and what it costs
 * to wake one of their lines, oldest first, of which most have left the cache.
 */
export async function benchMemory(stack: BenchStack, bare: Bare, open: number, say: (line: string) => void) {
  const wakes = Math.max(20, Math.floor(open / 5));
  const ours = await held(await stack.startProduct(), wakes, async () => {
    const { dealIds } = await playDeals(stack, names('OPEN', open), { atOnce: AT_ONCE, untilWait: 'delivery' });
    const lines = await stack.db.selectFrom('contract_line').select('id').where('deal_id', 'in', dealIds.slice(0, wakes)).execute();
    const told = lines.map(({ id }) => stack.client.workflow.getHandle(lineWorkflowId(id)));
    return {
      wake: async () => void (await Promise.all(told.map((line) => line.signal(recheckLineSignal, { at: MOMENT })))),
      woken: () => reviews(stack),
    };
  });
  say(`product: ${ours.mb.toFixed(0)} MB with ${open} open deals, ${ours.wakeMs.toFixed(1)} CPU ms of the worker per wake-up`);
  const { options } = bare;
  const delivery = options.script.messages.find((message) => message.kind === 'update' && message.role.startsWith('contractLine'));
  if (delivery === undefined) throw new Error('the script has no delivery of a milestone');
  const theirs = await held(await bare.startWorker(), wakes, async () => {
    const mine = names('OPEN', open);
    await playBare(options, mine, { atOnce: AT_ONCE, lastMessage: delivery });
    const told = mine.slice(0, wakes).map((name) => options.client.workflow.getHandle(bareWorkflowId(name, delivery.role)));
    return {
      wake: async () => void (await Promise.all(told.map((line) => line.signal(wakeSignal)))),
      woken: () => wakesOf(options.db),
    };
  });
  say(`bare: ${theirs.mb.toFixed(0)} MB, ${theirs.wakeMs.toFixed(1)} CPU ms per wake-up`);
  return {
    openDeals: open,
    mbWith1000Open: withBare(ours.mb, theirs.mb),
    cacheSize: stack.config.worker.maxCachedWorkflows,
    cpuMsPerWakeUp: withBare(ours.wakeMs, theirs.wakeMs),
  };
}

async function held(
  worker: WorkerProcess,
  wakes: number,
  open: () => Promise<{ wake: () => Promise<void>; woken: () => Promise<number> }>,
): Promise<Held> {
  try {
    const { wake, woken } = await open();
    await delay(SETTLE_MS);
    const mb = rssMb(worker.pid);
    const [cpu, before] = [cpuSeconds(worker.pid), await woken()];
    await wake();
    for (const deadline = Date.now() + 120_000; (await woken()) < before + wakes; await delay(100))
      if (Date.now() > deadline) throw new Error('the woken runs did not act');
    await delay(SETTLE_MS);
    return { mb, wakeMs: ((cpuSeconds(worker.pid) - cpu) * 1000) / wakes };
  } finally {
    await worker.stop();
  }
}

async function reviews({ db }: BenchStack): Promise<number> {
  const { count } = await db
    .selectFrom('effect')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('key', 'like', 'review-line/%')
    .executeTakeFirstOrThrow();
  return Number(count);
}
