import { type Bare } from '../bare/bench-bare';
import { askUpdate, bareWorkflowId } from '../bare/interpreter';
import { playBare } from '../bare/outside';
import { median } from '../figures';
import { decisionOn, playDeals } from '../lifecycle/people';
import { type BenchStack } from '../process/stack';
import { spawnWorker, stopWorker } from '../process/worker-process';
import { withBare } from './lifecycle';

/** From the spawn of a worker's process, with its bundle built, to the answer of a decision that waits for it. */
export async function benchStartup(stack: BenchStack, bare: Bare, times: number, say: (line: string) => void) {
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let turn = 1; turn <= times; turn += 1) {
    ours.push(await firstDecision(stack, turn));
    theirs.push(await firstBareUpdate(stack, bare, turn));
    say(`start ${turn}: first decision after ${ours.at(-1)?.toFixed(0)} ms, bare ${theirs.at(-1)?.toFixed(0)} ms`);
  }
  return { firstDecisionMs: withBare(median(ours), median(theirs)) };
}

async function firstDecision(stack: BenchStack, turn: number): Promise<number> {
  const before = await stack.startProduct();
  const { dealIds } = await playDeals(stack, [`START-${turn}`], { atOnce: 1, untilWait: 'decision' });
  await before.stop();
  const decision = await decisionOn(stack, dealIds[0] ?? '');
  const began = performance.now();
  const worker = spawnWorker(stack, 'product');
  try {
    const outcome = await stack.gateway.update(decision);
    if (outcome.kind !== 'done') throw new Error(`the decision was answered ${outcome.kind}`);
    return performance.now() - began;
  } finally {
    await stopWorker(worker);
  }
}

async function firstBareUpdate(stack: BenchStack, bare: Bare, turn: number): Promise<number> {
  const { options } = bare;
  const decision = options.script.messages.find((message) => message.kind === 'update' && message.role.startsWith('approval'));
  if (decision === undefined) throw new Error('the script has no decision');
  const name = `START-${turn}`;
  const before = await bare.startWorker();
  await playBare(options, [name], { atOnce: 1, lastMessage: decision });
  await before.stop();
  const began = performance.now();
  const worker = spawnWorker(stack, 'bare', bare.environment);
  try {
    await options.client.workflow.getHandle(bareWorkflowId(name, decision.role)).executeUpdate(askUpdate);
    return performance.now() - began;
  } finally {
    await stopWorker(worker);
  }
}
