import { type AskedRun, startApproval } from '../../test/support/asked';
import { dealRow } from '../../test/support/builders';
import { milestones, testDeal } from '../../test/support/lifecycles';
import { MOMENT } from '../lifecycle/standard-deal';
import { type BenchStack } from '../process/stack';

/** Who decides on a deal of the standard policy. */
export const DECIDER = 'U-DELDIR';

const AT_ONCE = 16;

/** So many deals of which the approval is asked for, each with the run that takes the decision; `ready` waits until each is in the worker's cache. */
export async function askForDeals({ db, client, config }: BenchStack, count: number, { ready }: { ready: boolean }): Promise<AskedRun[]> {
  const around = { db, client, taskQueue: config.worker.taskQueue };
  return inTurns(count, AT_ONCE, async () => {
    const deal = dealRow(testDeal({ lines: [milestones()] }), { state: 'approval' });
    await db.insertInto('deal').values(deal).execute();
    const asked = await startApproval(around, { subjectKind: 'deal', subjectId: deal.id, dealId: deal.id, at: MOMENT });
    if (ready) await asked.handle.query('__stack_trace');
    return asked;
  });
}

/** Does something so many times, at most so many at once; the results are in no order. */
export async function inTurns<T>(count: number, atOnce: number, work: (index: number) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  const turn = async (): Promise<void> => {
    for (let index = next; index < count; index = next) {
      next += 1;
      results.push(await work(index));
    }
  };
  await Promise.all(Array.from({ length: Math.min(count, atOnce) }, turn));
  return results;
}

/** Until the worker has taken up all of them: the last ones have when they answer, which behind thousands may take longer than one question waits. */
export async function takenUp(asked: readonly AskedRun[]): Promise<void> {
  for (const { handle } of asked.slice(-20)) await answers(handle, Date.now() + 600_000);
}

async function answers(handle: AskedRun['handle'], until: number): Promise<void> {
  for (;;) {
    try {
      return void (await handle.query('__stack_trace'));
    } catch (error) {
      if (Date.now() > until) throw error;
    }
  }
}
