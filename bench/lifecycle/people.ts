import { setTimeout as delay } from 'node:timers/promises';
import { sql, type Kysely } from 'kysely';
import { uuidv7 } from 'uuidv7';
import { type Gateway } from '../../api/gateway/gateway';
import { type Update } from '../../api/gateway/updates';
import { putInboxEvent } from '../../db/inbox';
import { type DecisionInput } from '../../contracts/workflow-state';
import { type DB } from '../../db/types';
import { decideUpdate } from '../../workflows/approval/messages';
import { deliverMilestoneUpdate, respondToMilestoneUpdate } from '../../workflows/contract-line/messages';
import { proposeTermsUpdate } from '../../workflows/deal-to-cash/messages';
import { signOffUpdate } from '../../workflows/project-to-close/messages';
import { dealEvent, DELIVERED, MOMENT, paymentEvent, standardDeal } from './standard-deal';

export interface Surroundings {
  readonly db: Kysely<DB>;
  readonly gateway: Gateway;
}

export interface PlayedDeals {
  readonly seconds: number;
  readonly updateMs: readonly number[];
  readonly dealIds: readonly string[];
}

/** What is open of a deal and asks somebody outside to act. */
export interface OpenWait {
  readonly id: string;
  readonly workflowId: string;
  readonly kind: string;
  readonly role: string;
  readonly subject: string;
  readonly dealId: string | null;
  readonly approvalId: string | null;
  readonly subjectKind: string | null;
  readonly shownHash: string | null;
}

const LOOK_MS = 25;
/** A run that was asked for is there by then, however busy the machine is. */
const STARTS_WITHIN_MS = 30_000;

/** Who decides for a role: each may, none sold and none asked. */
export const DECIDERS: Readonly<Record<string, string>> = {
  'legal-counsel': 'U-LEGAL',
  'finance-controller': 'U-FC-US',
  'delivery-director': 'U-DELDIR',
  'project-manager': 'U-PM-US',
  'pmo-lead': 'U-PMO',
  ceo: 'U-CEO',
  cfo: 'U-CFO',
  'limit-holder': 'U-CFO',
  'entity-head': 'U-CEO',
};

/**
 * Brings deals through the inbox, so many at a time, and does for each what people and the bank do as soon as the product waits for it,
 * until it is closed; or, with `untilWait`, until it waits for a thing of that kind, which nobody does.
 */
export async function playDeals(
  around: Surroundings,
  names: readonly string[],
  options: { readonly atOnce: number; readonly untilWait?: string },
): Promise<PlayedDeals> {
  const people = new People(around, options.untilWait ?? null);
  const began = performance.now();
  const waiting = [...names];
  const underWay = new Set<string>();
  const dealIds: string[] = [];
  while (waiting.length > 0 || underWay.size > 0) {
    for (let name = waiting[0]; name !== undefined && underWay.size < options.atOnce; name = waiting[0]) {
      waiting.shift();
      underWay.add(name);
      await putInboxEvent(around.db, dealEvent(name));
    }
    for (const { name, dealId } of await people.look([...underWay])) {
      underWay.delete(name);
      dealIds.push(dealId);
    }
    await people.rest(LOOK_MS);
  }
  return { seconds: (performance.now() - began) / 1000, updateMs: people.updateMs, dealIds };
}

class People {
  readonly updateMs: number[] = [];
  private readonly seen = new Set<string>();
  private readonly acting = new Set<Promise<void>>();
  private failure: { readonly error: unknown } | null = null;
  private readonly names = new Map<string, string>();

  constructor(
    private readonly around: Surroundings,
    private readonly untilWait: string | null,
  ) {}

  /** Begins whatever is asked for and gives the deals that have come to their end. */
  async look(names: readonly string[]): Promise<{ name: string; dealId: string }[]> {
    if (this.failure) throw this.failure.error;
    const numbers = new Map(names.map((name) => [standardDeal(name).contractNumber, name]));
    const deals = await this.around.db
      .selectFrom('deal')
      .select(['id', 'contract_number', 'state', 'finished_at'])
      .where('contract_number', 'in', [...numbers.keys()])
      .execute();
    for (const deal of deals) this.names.set(deal.id, numbers.get(deal.contract_number) ?? '');
    const ended = deals.filter((deal) => deal.finished_at !== null);
    for (const deal of ended) if (deal.state !== 'closed') throw new Error(`deal ${deal.id} ended as ${deal.state}`);
    const stopped = await this.act(deals.map((deal) => deal.id));
    return [...ended.map((deal) => deal.id), ...stopped].map((dealId) => ({ dealId, name: this.names.get(dealId) ?? '' }));
  }

  async rest(milliseconds: number): Promise<void> {
    await delay(milliseconds);
    if (this.failure) throw this.failure.error;
  }

  /** Ids of the deals that are where they were to be brought. */
  private async act(dealIds: readonly string[]): Promise<string[]> {
    if (dealIds.length === 0) return [];
    const stopped: string[] = [];
    const waits = await waitsOf(this.around, dealIds);
    for (const wait of waits) {
      if (wait.kind === 'stuck') throw new Error(`${wait.workflowId} is stuck at ${wait.subject}`);
      if (wait.kind === this.untilWait) stopped.push(wait.dealId ?? '');
      else if (!this.seen.has(wait.id)) this.begin(wait.dealId ?? '', wait);
    }
    return stopped;
  }

  private begin(dealId: string, wait: OpenWait): void {
    const action = this.actionFor(dealId, wait);
    if (action === null) return;
    this.seen.add(wait.id);
    const done = action()
      .catch((error: unknown) => {
        this.failure ??= { error };
      })
      .finally(() => this.acting.delete(done));
    this.acting.add(done);
  }

  private actionFor(dealId: string, wait: OpenWait): (() => Promise<void>) | null {
    const name = this.names.get(dealId) ?? '';
    switch (wait.kind) {
      case 'sow-terms':
        return () => this.proposeTerms(wait, name);
      case 'decision':
        return () => this.decide(wait);
      case 'delivery':
        return () => this.deliver(wait);
      case 'acceptance':
        return () => this.accept(wait);
      case 'payment':
        return () => this.pay(wait, name);
      case 'close-checklist':
        return wait.subject === 'CustomerSignedOff' ? () => this.signOff(wait) : null;
      default:
        return null;
    }
  }

  private proposeTerms({ workflowId }: OpenWait, name: string): Promise<void> {
    const terms = [{ path: 'paymentTermsDays', value: '30', unit: 'days', clause: '7.2' }];
    const { documentId } = standardDeal(name);
    const input = { proposalId: uuidv7(), documentId, terms, by: 'U-SELLER', at: MOMENT };
    return this.update({ definition: proposeTermsUpdate, workflowId, input, updateId: input.proposalId });
  }

  private decide(wait: OpenWait): Promise<void> {
    return this.update(decisionFor(wait));
  }

  private deliver({ workflowId, subject }: OpenWait): Promise<void> {
    const input = { deliveryId: uuidv7(), milestoneId: subject, deliveredAt: DELIVERED, by: 'U-PM-US', at: MOMENT };
    return this.update({ definition: deliverMilestoneUpdate, workflowId, input, updateId: input.deliveryId });
  }

  private accept({ workflowId, subject }: OpenWait): Promise<void> {
    const response = { response: 'accepted', respondedAt: DELIVERED, reasonId: null, documentReference: 'letter' } as const;
    const input = { responseId: uuidv7(), milestoneId: subject, attempt: 1, ...response, by: 'U-PM-US', at: MOMENT };
    return this.update({ definition: respondToMilestoneUpdate, workflowId, input, updateId: input.responseId });
  }

  private signOff({ workflowId }: OpenWait): Promise<void> {
    const input = { signOffId: uuidv7(), documentReference: 'letter', signedOn: MOMENT.slice(0, 10), by: 'U-PM-US', at: MOMENT };
    return this.update({ definition: signOffUpdate, workflowId, input, updateId: input.signOffId });
  }

  private async pay({ workflowId }: OpenWait, name: string): Promise<void> {
    const { db } = this.around;
    const invoice = await db
      .selectFrom('invoice')
      .innerJoin('bill_to_account as payer', 'payer.id', 'invoice.bill_to_id')
      .innerJoin('entity_bank_account as bank', 'bank.entity_id', 'invoice.entity_id')
      .select(['invoice.reference', 'invoice.total_minor as totalMinor', 'payer.name as payer', 'bank.account', 'bank.currency'])
      .where('invoice.id', '=', workflowId.replace('invoice/', ''))
      .whereRef('bank.currency', '=', 'invoice.currency')
      .executeTakeFirstOrThrow();
    await putInboxEvent(db, paymentEvent(name, { account: invoice.account, currency: invoice.currency }, invoice));
  }

  private async update<Ret, Input>(update: Update<Ret, Input>): Promise<void> {
    const began = performance.now();
    let outcome = await this.around.gateway.update(update);
    // What is asked for is shown before its run has started: then it is said again, as after a 503.
    for (const deadline = began + STARTS_WITHIN_MS; outcome.kind === 'no-run' && performance.now() < deadline;) {
      await delay(LOOK_MS);
      outcome = await this.around.gateway.update(update);
    }
    this.updateMs.push(performance.now() - began);
    if (outcome.kind !== 'done') throw new Error(`${update.workflowId}: ${JSON.stringify(outcome)}`);
  }
}

/** What the deals wait for, the oldest first. */
export async function waitsOf({ db }: Pick<Surroundings, 'db'>, dealIds: readonly string[]): Promise<OpenWait[]> {
  return db
    .selectFrom('open_wait as wait')
    .leftJoin('approval', (join) => join.on(sql<boolean>`wait.workflow_id = 'approval/' || approval.id`))
    .select(['wait.id', 'wait.deal_id as dealId', 'wait.workflow_id as workflowId', 'wait.kind', 'wait.role', 'wait.subject'])
    .select(['approval.id as approvalId', 'approval.subject_kind as subjectKind', 'approval.shown_hash as shownHash'])
    .where('wait.closed_at', 'is', null)
    .where('wait.deal_id', 'in', dealIds)
    .execute();
}

/** The yes of somebody who may say it. */
function decisionFor({ workflowId, role, shownHash }: OpenWait): Update<unknown, DecisionInput> {
  const by = DECIDERS[role];
  if (by === undefined || shownHash === null) throw new Error(`nobody decides as ${role}`);
  const input = { decisionId: uuidv7(), by, verdict: 'grant', reasonId: null, role, shownHash, at: MOMENT } as const;
  return { definition: decideUpdate, workflowId, input, updateId: input.decisionId };
}

/** A decision that a deal waits for. */
export async function decisionOn(around: Surroundings, dealId: string): Promise<Update<unknown, DecisionInput>> {
  const wait = (await waitsOf(around, [dealId])).find(({ kind }) => kind === 'decision');
  if (wait === undefined) throw new Error(`deal ${dealId} waits for no decision`);
  return decisionFor(wait);
}
