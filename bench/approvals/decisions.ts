import { uuidv7 } from 'uuidv7';
import { decideUpdate } from '../../workflows/approval/messages';
import { bareBundle } from '../bare/bundle';
import { askUpdate, bareWorkflowId } from '../bare/interpreter';
import { createBareTable } from '../bare/rows';
import { type LifecycleScript } from '../bare/script';
import { median, quantile, rounded } from '../figures';
import { MOMENT } from '../lifecycle/standard-deal';
import { type BenchStack } from '../process/stack';
import { startWorkerProcess } from '../process/worker-process';
import { askForDeals, DECIDER, inTurns } from './asked';

/** An update that is answered after one local activity with one commit, and the end of its run. */
const ROLE = 'decision';
const SCRIPT: LifecycleScript = {
  runs: [{ role: ROLE, steps: [{ do: 'await-update' }, { do: 'local' }, { do: 'answer-update' }], commits: 1 }],
  messages: [{ kind: 'start', role: ROLE, after: null, commits: 0 }],
  ends: { role: ROLE, commits: 1 },
};

/** Runs that wait when a round begins, and callers who decide on them. */
const [RUNS, CALLERS] = [50, 20];

/** From sending a decision to its answer, and the same of the bare update, alternately; the first round of each warms up. */
export async function benchDecisions(stack: BenchStack, rounds: number, say: (line: string) => void) {
  const product = await stack.startProduct();
  const bare = await startBareDecisions(stack);
  try {
    const [ours, theirs]: [number[][], number[][]] = [[], []];
    for (let round = 0; round <= rounds; round += 1) {
      const mine = await productRound(stack);
      const limit = await bare.round(round);
      say(`${round === 0 ? 'warm-up' : `round ${round}`}: decision ${lineOf(mine)}; bare update ${lineOf(limit)}`);
      if (round > 0) ours.push(mine);
      if (round > 0) theirs.push(limit);
    }
    const at = (share: number) => ({ value: rounded(quantile(ours.flat(), share)), bare: rounded(quantile(theirs.flat(), share)) });
    const ratio = (share: number) =>
      rounded(median(ours.map((mine, index) => quantile(mine, share) / quantile(theirs[index] ?? mine, share))));
    return { runs: RUNS, callers: CALLERS, p50Ms: at(0.5), p99Ms: at(0.99), p50Ratio: ratio(0.5), p99Ratio: ratio(0.99) };
  } finally {
    await bare.stop();
    await product.stop();
  }
}

async function productRound(stack: BenchStack): Promise<number[]> {
  const asked = await askForDeals(stack, RUNS, { ready: true });
  return inTurns(RUNS, CALLERS, async (index) => {
    const { handle, shownHash } = asked[index]!;
    const input = { decisionId: uuidv7(), by: DECIDER, verdict: 'grant', reasonId: null, role: null, shownHash, at: MOMENT } as const;
    const began = performance.now();
    const outcome = await stack.gateway.update({
      definition: decideUpdate,
      workflowId: handle.workflowId,
      input,
      updateId: input.decisionId,
    });
    if (outcome.kind !== 'done') throw new Error(`a decision was answered ${JSON.stringify(outcome)}`);
    return performance.now() - began;
  });
}

async function startBareDecisions(stack: BenchStack) {
  const taskQueue = 'bench-bare-decision';
  const { codePath, buildId } = await bareBundle(SCRIPT);
  await createBareTable(stack.db);
  const worker = await startWorkerProcess(stack, 'bare', { BARE_BUNDLE: codePath, BARE_BUILD: buildId, BARE_QUEUE: taskQueue });
  const { workflow } = stack.client;
  return {
    stop: () => worker.stop(),
    round: async (round: number): Promise<number[]> => {
      const handles = await inTurns(RUNS, CALLERS, async (index) => {
        const name = `decision-${round}-${index}`;
        const workflowId = bareWorkflowId(name, ROLE);
        const handle = await workflow.start('bareLifecycle', { workflowId, taskQueue, args: [{ name, role: ROLE }] });
        await handle.query('__stack_trace');
        return handle;
      });
      return inTurns(RUNS, CALLERS, async (index) => {
        const began = performance.now();
        await handles[index]!.executeUpdate(askUpdate);
        return performance.now() - began;
      });
    },
  };
}

function lineOf(milliseconds: readonly number[]): string {
  return `p50 ${quantile(milliseconds, 0.5).toFixed(1)} ms, p99 ${quantile(milliseconds, 0.99).toFixed(1)} ms`;
}
