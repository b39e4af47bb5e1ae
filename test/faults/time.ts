import { WorkflowNotFoundError } from '@temporalio/client';
import { dueRuns, nextWake } from '../../db/waits';
import { clockMoment, moveClock } from '../../simulation/driver';
import { describeRun, listedRuns } from '../../simulation/runs';
import { clockSignal } from '../../workflows/clock';
import { type Clients } from './clients';
import { isOutage, type People } from './people';
import { type OpenActivity } from './process/losing-answers';
import { type FaultStack } from './stack';

/** True where nothing moves and nobody acts: only time, or something from outside, can go on. */
export async function isIdle(stack: FaultStack, people: People, clients: Clients): Promise<boolean> {
  if (people.busy > 0 || clients.inFlight > 0) return false;
  try {
    return !(await somethingMoves(stack)) && !(await somethingMoves(stack));
  } catch (error) {
    if (isOutage(error)) return false;
    throw error;
  }
}

async function somethingMoves({ db, client, worker }: FaultStack): Promise<boolean> {
  const waiting = await db.selectFrom('inbox_event').select('id').where('state', '=', 'received').limit(1).executeTakeFirst();
  const working = await worker.ask<{ open: OpenActivity[] }>('look');
  if (waiting !== undefined || working === null || working.open.length > 0) return true;
  const runs = await Promise.all((await listedRuns(client)).map((id) => describeRun(client, id)));
  const stalled = runs.find((run) => (run?.problems.length ?? 0) > 0);
  if (stalled) throw new Error(`${stalled.workflowId} is stalled: ${stalled.problems.join(', ')}`);
  return runs.some((run) => run?.busy);
}

/** Every deal and its books are done long before. */
const LAST_MOMENT = '2027-06-01';

/** Moves business time to the next moment at which a run acts by itself, and tells the runs that are due. False where there is none. */
export async function moveOn({ db, client }: FaultStack): Promise<boolean> {
  try {
    const next = await nextWake(db);
    const now = await clockMoment(db);
    if (next === null || now === null) return false;
    if (next > LAST_MOMENT) throw new Error(`business time runs away: the next run acts at ${next}, and nobody does what is waited for`);
    const moment = next > now ? next : now;
    await moveClock(db, moment);
    for (const workflowId of await dueRuns(db, moment)) await client.workflow.getHandle(workflowId).signal(clockSignal, moment);
    return true;
  } catch (error) {
    // A run that has ended meanwhile needs no time any more.
    if (isOutage(error) || error instanceof WorkflowNotFoundError) return true;
    throw error;
  }
}
