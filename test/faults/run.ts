import { setTimeout as delay } from 'node:timers/promises';
import { chance } from '../e2e/perturbation/chance';
import { Clients } from './clients';
import { FRAIL_ACCOUNT, STORIES, type Story } from './deals';
import { hangs } from './hang';
import { type Kill, planKills, strike, type Struck } from './kills';
import { People, type PlayedDeal, playedDeal } from './people';
import { type FaultStack } from './stack';
import { BusinessTime } from './time';

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
  let next: Kill | undefined;
  const striking = new Strikes(async () => {
    for (next of plan) {
      if (people.failures.length > 0) return;
      const each = await strike(stack, clients, next);
      struck.push(each);
      told(each);
      const due = Math.ceil(((deals - AT_FIRST) * struck.length) / kills);
      letIn(Math.max(0, due - (deals - AT_FIRST - queue.length)));
    }
    next = undefined;
  });
  const time = new BusinessTime(stack, people, clients);
  const play = async (): Promise<void> => {
    while (people.failures.length === 0) {
      striking.throwFailure();
      await people.look();
      if (await time.standsStill()) {
        if (queue.length > 0) letIn(1);
        else if (!(await time.moveOn()) && people.open().length === 0 && struck.length === kills) return;
      }
      await delay(LOOK_MS);
    }
  };
  const playing = new AbortController();
  const saysStriking = (): string =>
    next === undefined ? 'every kill is done' : `kill ${struck.length + 1} (${next.target}, ${next.moment}) is under way`;
  try {
    await Promise.race([play(), hangs({ stack, people, clients, time, striking: saysStriking }, playing.signal)]);
  } finally {
    playing.abort();
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

/** What is waited for, one a line. */
export async function waitsLeft({ db }: FaultStack): Promise<string[]> {
  const waits = await db
    .selectFrom('open_wait')
    .select(['workflow_id', 'kind', 'subject', 'role', 'asks', 'since', 'wakes_at'])
    .where('closed_at', 'is', null)
    .execute();
  return waits.map(
    (wait) =>
      `${wait.workflow_id} waits for ${wait.role}: ${wait.kind} ${wait.subject} (${wait.asks}); since ${wait.since}, ` +
      `acts by itself ${wait.wakes_at ?? 'never'}`,
  );
}
