import { type Client } from '@temporalio/client';
import { type Kysely } from 'kysely';
import { type DB } from '../db/types';
import { dueRuns, nextWake } from '../db/waits';
import { type Instant } from '../domain/deal/terms';
import { clockSignal } from '../workflows/clock';
import { type QuietPoint, quietWatch } from './quiet';
import { stuckReport } from './stuck-report';

/** What happens outside the product while business time is played. */
export interface OutsideWorld {
  /** The next moment at which something comes from outside; null when nothing is left. May depend on what stands in the product now. */
  nextMoment(): Promise<Instant | null>;
  /** Brings what is due at `moment` or before; how many things it brought. */
  deliver(moment: Instant): Promise<number>;
  /** People answer what they are asked; how many answers were given. */
  answer(): Promise<number>;
  /** Everything that was to be reached is reached. */
  finished(): Promise<boolean>;
}

export interface DriverOptions {
  readonly client: Client;
  readonly db: Kysely<DB>;
  readonly quietTimeoutMs?: number;
  /** Called at every wait: everything stands still at `moment` and only time or the outside can move it on. */
  readonly onWait?: (moment: Instant, point: QuietPoint) => Promise<void> | void;
}

export interface Played {
  readonly steps: number;
  readonly quietPoints: number;
  readonly lastMoment: Instant;
}

/** Nothing moves any more but the goal is not reached; the message says which run waits for what. */
export class SimulationStuck extends Error {
  override readonly name = 'SimulationStuck';
}

const MOST_ROUNDS_AT_A_MOMENT = 200;

/**
 * Plays business time (D2): goes to the smallest of the next outside moment and the next `wakes_at` of an open wait, moves the business
 * clock there, sends `clock` to the runs that are due, waits until everything is quiet, lets the outside and then people act until they
 * have nothing more to do at this moment, and so on until nothing is left. A clock that already stands (after a restart) is gone on from.
 * Throws `SimulationStuck`, `NotQuiet`, or what the outside world throws.
 */
export async function playTime(world: OutsideWorld, options: DriverOptions): Promise<Played> {
  const { client, db, onWait } = options;
  const watch = quietWatch({ client, db, timeoutMs: options.quietTimeoutMs ?? 60_000 });
  /** The moment each run was last told. */
  const told = new Map<string, Instant>();
  let quietPoints = 0;
  let steps = 0;
  const quiet = async (stirred: readonly string[] = []): Promise<QuietPoint> => {
    quietPoints += 1;
    const point = await watch(stirred);
    await refuseStuck(db);
    return point;
  };

  /** Everything that can be done without time going on. `known` is the point at which everything still stands, unless runs were stirred. */
  async function settleAt(moment: Instant, stirred: readonly string[], known: QuietPoint | null): Promise<QuietPoint> {
    let point = known === null || stirred.length > 0 ? await quiet(stirred) : known;
    for (let round = 1; ; round += 1) {
      if (round > MOST_ROUNDS_AT_A_MOMENT) throw new SimulationStuck(await stuckReport(db, `business time stands at ${moment}`));
      const brought = await world.deliver(moment);
      if (brought > 0) point = await quiet();
      const answered = await world.answer();
      if (answered > 0) point = await quiet();
      if (brought + answered === 0) return point;
    }
  }

  let moment = (await clockMoment(db)) ?? (await world.nextMoment());
  if (moment === null) throw new SimulationStuck('Nothing comes from outside: there is nothing to play');
  await moveClock(db, moment);
  let stirred: readonly string[] = [];
  let point: QuietPoint | null = null;
  for (;;) {
    steps += 1;
    point = await settleAt(moment, stirred, point);
    await onWait?.(moment, point);
    if (await world.finished()) return { steps, quietPoints, lastMoment: moment };
    const next = smallest(await world.nextMoment(), await nextWake(db));
    if (next === null) throw new SimulationStuck(await stuckReport(db, 'nothing is left to happen, but the goal is not reached'));
    if (next > moment) {
      moment = next;
      await moveClock(db, moment);
      stirred = await wake(moment);
    } else {
      stirred = await wake(moment);
      if (stirred.length === 0) throw new SimulationStuck(await stuckReport(db, `a run was to act by ${next}, was told so and does not`));
    }
  }

  /** Tells the runs that are due what time it is and gives their ids; those that were told this moment before are not told again. */
  async function wake(at: Instant): Promise<readonly string[]> {
    const due = await dueRuns(db, at);
    const fresh = due.filter((workflowId) => told.get(workflowId) !== at);
    await Promise.all(fresh.map((workflowId) => signalClock(client, workflowId, at)));
    for (const workflowId of fresh) told.set(workflowId, at);
    return fresh;
  }
}

/** The business moment that is stored; null before a simulation has begun. */
export async function clockMoment(db: Kysely<DB>): Promise<Instant | null> {
  const row = await db.selectFrom('business_clock').select('moment').where('id', '=', 1).executeTakeFirst();
  return row === undefined ? null : new Date(row.moment).toISOString();
}

/** Moves the business clock on; it never goes back. */
export async function moveClock(db: Kysely<DB>, moment: Instant): Promise<void> {
  await db
    .insertInto('business_clock')
    .values({ id: 1, moment })
    .onConflict((conflict) => conflict.column('id').doUpdateSet({ moment }).where('business_clock.moment', '<', moment))
    .execute();
}

async function signalClock(client: Client, workflowId: string, moment: Instant): Promise<void> {
  try {
    await client.workflow.getHandle(workflowId).signal(clockSignal, moment);
  } catch (error) {
    if ((error as { name?: string }).name !== 'WorkflowNotFoundError') throw error;
  }
}

/** A run that says it is stuck needs a person with a fix, not time. */
async function refuseStuck(db: Kysely<DB>): Promise<void> {
  const stuck = await db.selectFrom('open_wait').select('id').where('kind', '=', 'stuck').where('closed_at', 'is', null).execute();
  if (stuck.length > 0) throw new SimulationStuck(await stuckReport(db, 'a run is stuck and waits for an operator'));
}

function smallest(a: Instant | null, b: Instant | null): Instant | null {
  if (a === null || b === null) return a ?? b;
  return a < b ? a : b;
}
