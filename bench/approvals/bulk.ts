import { type DecisionsAnswer } from '../../contracts/api/approvals';
import { median, rounded } from '../figures';
import { type BenchStack } from '../process/stack';
import { type BenchApi } from './api';
import { askForDeals, DECIDER, takenUp } from './asked';

/** Decisions per second of requests with so many of them, each counted from sending to the last answer. */
export async function benchBulk(stack: BenchStack, api: BenchApi, options: { items: number; rounds: number; say: (line: string) => void }) {
  const { items, rounds, say } = options;
  const worker = await stack.startProduct();
  try {
    const rates: number[] = [];
    for (let round = 0; round <= rounds; round += 1) {
      const asked = await askForDeals(stack, items, { ready: false });
      await takenUp(asked);
      const decisions = asked.map(({ approvalId, shownHash }) => ({ approvalId, shownHash, verdict: 'grant' }));
      const began = performance.now();
      const { counts } = (await api.send(DECIDER, {
        method: 'POST',
        url: '/v1/decisions',
        body: { decisions },
      })) as DecisionsAnswer;
      const perSecond = (items * 1000) / (performance.now() - began);
      if (counts.accepted !== items) throw new Error(`of ${items} decisions ${JSON.stringify(counts)}`);
      say(`${round === 0 ? 'warm-up' : `round ${round}`}: ${perSecond.toFixed(0)} decisions/s in one request`);
      if (round > 0) rates.push(perSecond);
    }
    return { items, itemsPerSecond: rounded(median(rates)) };
  } finally {
    await worker.stop();
  }
}
