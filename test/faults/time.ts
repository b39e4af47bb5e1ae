import { WorkflowNotFoundError } from '@temporalio/client';
import { dueRuns, nextWake } from '../../db/waits';
import { clockMoment, moveClock } from '../../simulation/driver';
import { NotQuiet, quietWatch } from '../../simulation/quiet';
import { clockSignal } from '../../workflows/clock';
import { type Clients } from './clients';
import { isOutage, type People } from './people';
import { type OpenActivity } from './process/losing-answers';
import { type FaultStack } from './stack';

/** Every deal and its books are done long before. */
const LAST_MOMENT = '2027-06-01';
/** A look at runs that move takes about so long; who waits longer does not see what people are asked meanwhile. */
const QUIET_WITHIN_MS = 1000;

/**
 * Business time of a fault run. It is moved on only where every run stands still, no activity is open, nothing is on its way, nobody acts or
 * has anything to do, and no run is stuck: whatever is passed over then nobody would ever do.
 */
export class BusinessTime {
  private watch: ReturnType<typeof quietWatch> | null = null;
  /** Why time does not go on, for whoever waits for it; empty while it does. */
  unrest: readonly string[] = [];

  constructor(
    private readonly stack: FaultStack,
    private readonly people: People,
    private readonly clients: Clients,
  ) {}

  /** True where nothing moves and nobody acts: only time, or something from outside, can go on. */
  async standsStill(): Promise<boolean> {
    try {
      this.unrest = await this.moves();
    } catch (error) {
      this.watch = null;
      if (error instanceof NotQuiet) this.unrest = error.what;
      else if (isOutage(error)) this.unrest = ['a server is away'];
      else throw error;
    }
    return this.unrest.length === 0;
  }

  /** What moves, in the order in which it is cheap to find out. What the last effect has asked for is begun here, as by any other look. */
  private async moves(): Promise<readonly string[]> {
    const { people, clients, stack } = this;
    if (people.busy.length + clients.inFlight.length > 0) return [...people.busy, ...clients.inFlight];
    const open = await this.openActivities();
    if (open.length > 0) return open;
    const waiting = await stack.db.selectFrom('inbox_event').select('id').where('state', '=', 'received').execute();
    if (waiting.length > 0) return waiting.map(({ id }) => `inbox event ${id} is not handed on`);
    this.watch ??= quietWatch({ ...stack, timeoutMs: QUIET_WITHIN_MS });
    await this.watch([]);
    if (!(await people.look())) return ['the database is away'];
    return [...people.busy, ...(await this.openActivities()), ...(await this.stuck())];
  }

  private async openActivities(): Promise<string[]> {
    const answer = await this.stack.worker.ask<{ open: OpenActivity[] }>('look');
    return answer?.open.map(({ name, workflowId }) => `${workflowId} does ${name}`) ?? ['the worker is away'];
  }

  private async stuck(): Promise<string[]> {
    const waits = this.stack.db.selectFrom('open_wait').select(['workflow_id', 'subject', 'asks']).where('kind', '=', 'stuck');
    const rows = await waits.where('closed_at', 'is', null).execute();
    return rows.map((row) => `${row.workflow_id} is stuck at ${row.subject}: ${row.asks}`);
  }

  /**
   * Moves business time to the next moment at which a run acts by itself, and tells the runs that are due. False where there is none. A run
   * that was told and does not act is told again, and time stays where it is.
   */
  async moveOn(): Promise<boolean> {
    const { db, client } = this.stack;
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
}
