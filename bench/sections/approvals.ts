import { setTimeout as delay } from 'node:timers/promises';
import { startBenchApi } from '../approvals/api';
import { askForDeals, takenUp } from '../approvals/asked';
import { benchBulk } from '../approvals/bulk';
import { benchDecisions } from '../approvals/decisions';
import { benchInbox } from '../approvals/inbox';
import { benchPolicy } from '../approvals/policy';
import { rounded } from '../figures';
import { type BenchStack, startBenchStack } from '../process/stack';
import { rssMb } from '../process/usage';

export interface ApprovalSizes {
  readonly rounds: number;
  readonly bulkItems: number;
  readonly approvals: number;
  readonly pages: number;
  readonly openApprovals: number;
  readonly say: (line: string) => void;
}

const SETTLE_MS = 3000;

/** Decisions one by one and many at once, the inbox over a firm's years of approvals, the policy, and what open approvals hold of a worker. */
export async function benchApprovals({ rounds, bulkItems, approvals, pages, openApprovals, say }: ApprovalSizes) {
  const stack = await startBenchStack();
  const api = await startBenchApi(stack);
  try {
    return {
      policy: await benchPolicy(stack, 20_000),
      decision: await benchDecisions(stack, rounds, say),
      bulk: await benchBulk(stack, api, { items: bulkItems, rounds: Math.min(rounds, 3), say }),
      memory: await memoryOf(stack, openApprovals, say),
      inbox: await benchInbox(stack, api, { approvals, pages, say }),
    };
  } finally {
    await api.close();
    await stack.stop();
  }
}

/** A worker, just started and with the cache as shipped, that has taken up so many approvals which wait for a decision. */
async function memoryOf(stack: BenchStack, openApprovals: number, say: (line: string) => void) {
  const worker = await stack.startProduct();
  try {
    const before = rssMb(worker.pid);
    const asked = await askForDeals(stack, openApprovals, { ready: false });
    await takenUp(asked);
    await delay(SETTLE_MS);
    const mb = rssMb(worker.pid);
    say(`memory: ${mb.toFixed(0)} MB with ${openApprovals} open approvals, ${before.toFixed(0)} MB before`);
    return { openApprovals, mb: rounded(mb), mbBefore: rounded(before), cacheSize: stack.config.worker.maxCachedWorkflows };
  } finally {
    await worker.stop();
  }
}
