import { setTimeout as delay } from 'node:timers/promises';
import { type PoolClient } from 'pg';
import { describeRun } from '../../simulation/runs';
import { type Chance } from '../e2e/perturbation/chance';
import { type Clients } from './clients';
import { type OpenActivity } from './process/losing-answers';
import { type FaultStack, type Target, TARGETS } from './stack';

/** Where the effects that are open stand: in the middle of their transactions, or committed while nobody has their answers. */
const MOMENTS = ['half-way', 'committed'] as const;
type Moment = (typeof MOMENTS)[number];

export interface Kill {
  readonly target: Target;
  readonly moment: Moment;
  /** How long everything runs before it, and how long what is open piles up. */
  readonly pauseMs: number;
  readonly pileMs: number;
}

/** What was open when a process was killed. */
export interface Open {
  /** Transactions that stand in the middle of an effect. */
  readonly halfWay: number;
  readonly committed: readonly string[];
  readonly running: readonly string[];
  readonly workflowTasks: number;
  readonly remoteActivities: number;
  readonly requests: number;
  readonly heldEvents: number;
}

export interface Struck {
  readonly kill: Kill;
  readonly open: Open;
  readonly readyMs: number;
  /** Until the first effect after the kill had committed. */
  readonly workedMs: number | null;
}

/** Every target equally often, at both moments, in an order and at times that follow from the seed. */
export function planKills(count: number, luck: Chance): Kill[] {
  const kills = Array.from({ length: count }, (_, index): Kill => ({
    target: TARGETS[index % TARGETS.length] as Target,
    moment: MOMENTS[Math.floor(index / TARGETS.length) % MOMENTS.length] as Moment,
    pauseMs: luck.whole(200, 1500),
    pileMs: luck.whole(50, 600),
  }));
  for (let last = kills.length - 1; last > 0; last -= 1) {
    const other = luck.whole(0, last);
    [kills[last], kills[other]] = [kills[other] as Kill, kills[last] as Kill];
  }
  return kills;
}

const PATIENCE_MS = 60_000;
/** Less than what bounds a local activity: longer, and it would be tried again by itself. */
const HOLD_MS = 3000;

/** Waits until something is open that the target works at, kills it, starts it again, and waits until work goes on. */
export async function strike(stack: FaultStack, clients: Clients, kill: Kill): Promise<Struck> {
  await delay(kill.pauseMs);
  const { open, letGo } = await somethingOpen(stack, clients, kill);
  const target = stack.targets[kill.target];
  const killedAt = new Date();
  await target.kill();
  await letGo();
  await target.restart();
  const readyMs = Date.now() - killedAt.getTime();
  return { kill, open, readyMs, workedMs: await untilWorked(stack, killedAt) };
}

interface Held {
  readonly open: Open;
  readonly letGo: () => Promise<void>;
}

async function somethingOpen(stack: FaultStack, clients: Clients, kill: Kill): Promise<Held> {
  for (const deadline = Date.now() + PATIENCE_MS; Date.now() < deadline;) {
    const letGo = kill.moment === 'half-way' ? await closeGate(stack) : await holdAnswers(stack);
    for (const end = Date.now() + HOLD_MS; Date.now() < end; await delay(20)) {
      if (!concerns(kill, await whatIsOpen(stack, clients))) continue;
      await delay(kill.pileMs);
      const open = await whatIsOpen(stack, clients);
      if (concerns(kill, open)) return { open, letGo };
    }
    await letGo();
    await delay(200);
  }
  throw new Error(`for ${PATIENCE_MS / 1000} s nothing was open that a kill of ${kill.target} would hit`);
}

/** True where the target works at something that is open just then. */
export function concerns({ target, moment }: Pick<Kill, 'target' | 'moment'>, open: Open): boolean {
  const effects = moment === 'half-way' ? open.halfWay : open.committed.length;
  if (target === 'api') return effects > 0 && open.requests + open.heldEvents > 0;
  if (target === 'temporal') return effects > 0 && open.workflowTasks + open.remoteActivities > 0;
  return effects > 0;
}

async function whatIsOpen({ pool, client, worker }: FaultStack, clients: Clients): Promise<Open> {
  const { rows } = await pool.query<{ half_way: number; held: number }>(
    `select (select count(*) from pg_locks where relation = 'effect'::regclass and not granted)::int as half_way,
            (select count(*) from inbox_event where state = 'received' and lease_until > now())::int as held`,
  );
  const activities = (await worker.ask<{ open: OpenActivity[] }>('look'))?.open ?? [];
  const ids = [...new Set(activities.map(({ workflowId }) => workflowId))].slice(0, 20);
  const runs = await Promise.all(ids.map((id) => describeRun(client, id)));
  return {
    halfWay: rows[0]?.half_way ?? 0,
    committed: activities.filter(({ committed }) => committed).map(({ name }) => name),
    running: activities.filter(({ committed }) => !committed).map(({ name }) => name),
    workflowTasks: runs.filter((run) => run?.busy === 'a workflow task').length,
    remoteActivities: runs.filter((run) => run?.busy?.startsWith('activity')).length,
    requests: clients.inFlight.length,
    heldEvents: rows[0]?.held ?? 0,
  };
}

/** While the gate is closed no effect can be written down: each stands at the end of its transaction with everything else done. */
async function closeGate({ pool }: FaultStack): Promise<() => Promise<void>> {
  const gate: PoolClient = await pool.connect();
  await gate.query('begin');
  await gate.query('lock table effect in share row exclusive mode');
  return async () => {
    const broken = await gate.query('rollback').then(
      () => false,
      () => true,
    );
    gate.release(broken);
  };
}

async function holdAnswers({ worker }: FaultStack): Promise<() => Promise<void>> {
  await worker.ask('hold');
  return async () => void (await worker.ask('release'));
}

async function untilWorked({ db }: FaultStack, since: Date): Promise<number | null> {
  for (const deadline = Date.now() + 30_000; Date.now() < deadline; await delay(50)) {
    const worked = await db
      .selectFrom('effect')
      .select('created_at')
      .where('created_at', '>', since.toISOString())
      .orderBy('created_at')
      .limit(1)
      .executeTakeFirst()
      .catch(() => undefined);
    if (worked !== undefined) return Date.parse(worked.created_at) - since.getTime();
  }
  return null;
}
