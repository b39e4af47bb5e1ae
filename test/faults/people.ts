import { setTimeout as delay } from 'node:timers/promises';
import { isGrpcServiceError, ServiceError } from '@temporalio/client';
import { type Kysely } from 'kysely';
import { isDatabaseOutage } from '../../api/outage';
import { type OpenWait, waitsOf } from '../../bench/lifecycle/people';
import { standardDeal } from '../../bench/lifecycle/standard-deal';
import { type DB } from '../../db/types';
import { Actions } from './actions';
import { ASIDES } from './asides';
import { type Clients } from './clients';
import { eventOf, type Story } from './deals';
import { seconds } from './report';
import { type FaultStack } from './stack';

/** A deal of the run and what has been done of its story. */
export interface PlayedDeal {
  readonly code: string;
  readonly story: Story;
  readonly done: Set<string>;
  id: string | null;
  state: string | null;
  finished: boolean;
}

export function playedDeal(code: string, story: Story): PlayedDeal {
  return { code, story, done: new Set(), id: null, state: null, finished: false };
}

/** What a story needs to go on. */
export interface Scene {
  readonly deal: PlayedDeal;
  readonly wait: OpenWait;
  readonly actions: Actions;
  readonly clients: Clients;
  readonly db: Kysely<DB>;
}

/** A running installation as people see it. */
export type Ground = Pick<FaultStack, 'db' | 'client' | 'apiUrl' | 'webhookSecret'>;

/** What is done instead of the usual; `later` puts it off, null leaves it to the usual. */
export type Instead = (scene: Scene) => (() => Promise<unknown>) | 'later' | null;

/** Something that somebody has begun to do, for a wait or unasked. */
interface Begun {
  readonly deal: PlayedDeal;
  readonly wait: OpenWait | null;
  readonly what: string;
}

/** People, customers and the bank: they do what their deals wait for, once, as soon as it is asked, and leave the rest to the product. */
export class People {
  readonly failures: string[] = [];
  private readonly seen = new Set<string>();
  private readonly acting = new Map<symbol, { readonly what: string; readonly since: number }>();
  private readonly actions: Actions;
  private readonly deals: PlayedDeal[] = [];

  constructor(
    private readonly ground: Ground,
    private readonly clients: Clients,
    private readonly instead: Instead = () => null,
  ) {
    this.actions = new Actions(ground, clients);
  }

  /** From now on people do what this deal waits for. */
  follow(deal: PlayedDeal): void {
    this.deals.push(deal);
    this.clients.count('deal', deal.code);
  }

  /** The CRM reports a deal. */
  arrive(deal: PlayedDeal): void {
    this.follow(deal);
    this.begin({ deal, wait: null, what: 'reports the deal' }, () => this.clients.event(eventOf(deal.code, deal.story)));
  }

  /** What people are about. */
  get busy(): string[] {
    return [...this.acting.values()].map(({ what, since }) => `${what} for ${seconds(Date.now() - since)}`);
  }

  open(): PlayedDeal[] {
    return this.deals.filter((deal) => !deal.finished);
  }

  /** Begins whatever is asked for; false while the database cannot be asked. */
  async look(): Promise<boolean> {
    try {
      const known = await this.known();
      const ids = known.flatMap(({ id }) => (id === null ? [] : [id]));
      const waits = ids.length === 0 ? [] : await waitsOf(this.ground, ids);
      for (const wait of waits) {
        const deal = known.find(({ id }) => id === wait.dealId);
        if (deal !== undefined && !this.seen.has(wait.id)) await this.consider(deal, wait);
      }
      return true;
    } catch (error) {
      if (isOutage(error)) return false;
      throw error;
    }
  }

  /** The deals that the product knows; what comes late to one that has ended asks people too. */
  private async known(): Promise<PlayedDeal[]> {
    if (this.deals.length === 0) return [];
    const rows = await this.ground.db
      .selectFrom('deal')
      .select(['id', 'contract_number', 'state', 'finished_at'])
      .where(
        'contract_number',
        'in',
        this.deals.map(({ code }) => standardDeal(code).contractNumber),
      )
      .execute();
    for (const row of rows) {
      const deal = this.deals.find(({ code }) => standardDeal(code).contractNumber === row.contract_number);
      if (deal) Object.assign(deal, { id: row.id, state: row.state, finished: row.finished_at !== null });
    }
    return this.deals.filter(({ id }) => id !== null);
  }

  private async consider(deal: PlayedDeal, wait: OpenWait): Promise<void> {
    const scene = { deal, wait, actions: this.actions, clients: this.clients, db: this.ground.db };
    const names = deal.story.asides?.[wait.subjectKind ?? wait.kind] ?? [];
    const next = names.find((name) => !deal.done.has(name));
    const last = names.at(-1);
    if (next === undefined && last !== undefined && ASIDES[last].instead === true) return;
    if (next === undefined) {
      const special = this.instead(scene);
      if (special === 'later') return;
      const action = special ?? this.actions.for(scene);
      if (action !== null) this.begin({ deal, wait, what: `is asked for ${wait.kind} ${wait.subject}` }, action);
      return;
    }
    const { ready, act } = ASIDES[next];
    if (ready !== undefined && !(await ready(scene))) return;
    deal.done.add(next);
    this.begin({ deal, wait, what: `is about to ${next}` }, async () => {
      await act(scene);
      await lastingly(async () => {
        if (await this.isOpen(wait)) this.seen.delete(wait.id);
      });
    });
  }

  /** What was asked for may be gone by what was done beside it; a look that is under way may still know it. */
  private async isOpen({ id }: OpenWait): Promise<boolean> {
    const row = await this.ground.db.selectFrom('open_wait').select('closed_at').where('id', '=', id).executeTakeFirst();
    return row?.closed_at === null;
  }

  private begin({ deal, wait, what }: Begun, action: () => Promise<unknown>): void {
    if (wait !== null) this.seen.add(wait.id);
    const one = Symbol(what);
    this.acting.set(one, { what: `somebody of ${deal.code} (${deal.story.name}) ${what}`, since: Date.now() });
    void lastingly(action)
      .catch((error: unknown) => {
        this.failures.push(`${deal.code} (${deal.story.name}): ${error instanceof Error ? error.message : String(error)}`);
      })
      .finally(() => this.acting.delete(one));
  }
}

/** Whoever is told that a server is away tries again: with the same keys, so that it is done once. */
async function lastingly(action: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await action();
      return;
    } catch (error) {
      if (!isOutage(error)) throw error;
      await delay(200);
    }
  }
}

export function isOutage(error: unknown): boolean {
  return isDatabaseOutage(error) || isGrpcServiceError(error) || error instanceof ServiceError;
}
