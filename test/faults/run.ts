import { setTimeout as delay } from 'node:timers/promises';
import { chance } from '../e2e/perturbation/chance';
import { Clients } from './clients';
import { FRAIL_ACCOUNT, STORIES, type Story } from './deals';
import { planKills, strike, type Struck } from './kills';
import { People, type PlayedDeal, playedDeal } from './people';
import { type OpenActivity } from './process/losing-answers';
import { type FaultStack } from './stack';
import { isIdle, moveOn } from './time';

export interface FaultOptions {
  readonly seed: number;
  readonly deals: number;
  readonly kills: number;
}

export interface Ran {
  readonly deals: readonly PlayedDeal[];
  readonly struck: readonly Struck[];
  readonly clients: Clients;
  /** What a client was answered that it should not have been. */
  readonly failures: readonly string[];
}

/** So many deals are under way before the first kill. */
const AT_FIRST = 5;
const LOOK_MS = 50;
/** Without an effect for so long, something hangs. */
const HANGS_MS = 180_000;

/** Plays the deals while processes are killed; the next deals come with every kill, so that there is always something to hit. */
export async function run(stack: FaultStack, { seed, deals, kills }: FaultOptions, told: (struck: Struck) => void): Promise<Ran> {
  const luck = chance(seed);
  const clients = new Clients(stack, luck);
  const people = new People(stack, clients);
  const all = inSomeOrder(deals, luck);
  const plan = planKills(kills, luck);
  await addFrailAccount(stack);
  const queue = [...all];
  const letIn = (many: number): void => {
    for (const deal of queue.splice(0, many)) people.arrive(deal);
  };
  letIn(AT_FIRST);
  const struck: Struck[] = [];
  const striking = new Strikes(async () => {
    for (const kill of plan) {
      if (people.failures.length > 0) return;
      const each = await strike(stack, clients, kill);
      struck.push(each);
      told(each);
      letIn(Math.ceil((deals - AT_FIRST) / kills));
    }
  });
  const hangs = hangingAfter(stack, clients, HANGS_MS);
  while (people.failures.length === 0) {
    striking.throwFailure();
    await people.look();
    await hangs(people);
    if (await isIdle(stack, people, clients)) {
      if (queue.length > 0) letIn(1);
      else if (!(await moveOn(stack)) && people.open().length === 0 && struck.length === kills) break;
    }
    await delay(LOOK_MS);
  }
  await striking.ended;
  return { deals: all, struck, clients, failures: people.failures };
}

/** What goes on beside the deals; a failure of it is thrown where they are looked at. */
class Strikes {
  readonly ended: Promise<void>;
  private failure: { readonly error: unknown } | null = null;

  constructor(work: () => Promise<void>) {
    this.ended = work().catch((error: unknown) => {
      this.failure = { error };
    });
  }

  throwFailure(): void {
    if (this.failure !== null) throw this.failure.error;
  }
}

/** As many deals as wanted; the first of them tell each story once. */
function inSomeOrder(count: number, luck: ReturnType<typeof chance>): PlayedDeal[] {
  const stories = Array.from({ length: count }, (_, index) => STORIES[index % STORIES.length] as Story);
  for (let last = count - 1; last > 0; last -= 1) {
    const other = luck.whole(0, last);
    [stories[last], stories[other]] = [stories[other] as Story, stories[last] as Story];
  }
  return stories.map((story, index) => playedDeal(`F-${index + 1}`, story));
}

async function addFrailAccount({ db }: FaultStack): Promise<void> {
  const like = await db.selectFrom('bill_to_account').selectAll().where('id', '=', 'BA-US').executeTakeFirstOrThrow();
  const json = { tax_registrations: JSON.stringify(like.tax_registrations), address: JSON.stringify(like.address) };
  await db
    .insertInto('bill_to_account')
    .values({ ...like, ...json, id: FRAIL_ACCOUNT, name: `${like.name} West` })
    .execute();
}

/** Throws, with what is under way, when nothing has been done for a while. */
function hangingAfter({ db, worker }: FaultStack, clients: Clients, milliseconds: number): (people: People) => Promise<void> {
  let last = { effects: -1, at: Date.now() };
  return async (people) => {
    const row = await db
      .selectFrom('effect')
      .select((eb) => eb.fn.countAll<number>().as('effects'))
      .executeTakeFirstOrThrow()
      .catch(() => ({ effects: last.effects }));
    if (Number(row.effects) !== last.effects) last = { effects: Number(row.effects), at: Date.now() };
    if (Date.now() - last.at < milliseconds) return;
    const open = people.open().map(({ code, story, state }) => `  ${code} (${story.name}) is ${state ?? 'not known'}`);
    const activities = (await worker.ask<{ open: OpenActivity[] }>('look'))?.open ?? [];
    const under = [...activities.map(({ name, workflowId }) => `  ${workflowId} does ${name}`), `  ${clients.inFlight} requests wait`];
    throw new Error([`nothing was done for ${milliseconds / 1000} s`, ...open, ...under].join('\n'));
  };
}

/** What is waited for, one a line. */
export async function waitsLeft({ db }: FaultStack): Promise<string[]> {
  const waits = await db
    .selectFrom('open_wait')
    .select(['workflow_id', 'kind', 'subject', 'role', 'asks'])
    .where('closed_at', 'is', null)
    .execute();
  return waits.map((wait) => `${wait.workflow_id} waits for ${wait.role}: ${wait.kind} ${wait.subject} (${wait.asks})`);
}
