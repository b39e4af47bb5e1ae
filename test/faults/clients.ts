import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { isPassing } from '../../api/errors';
import { signStandardWebhook } from '../../integrations/standard-webhooks';
import { type ApiAnswer, apiClient, codeOf, type ApiRequest, UnexpectedAnswer } from '../../simulation/api-client';
import { type Chance } from '../e2e/perturbation/chance';
import { seconds } from './report';
import { type FaultStack } from './stack';

/** Longer than anything is down: clients of the real world do not give up after seconds. */
const MOST_ATTEMPTS = 400;
/** A workflow task that died with its worker is given to another one after ten seconds. */
const PASSES_MS = 60_000;

/** Facts that only clients bring, as the tables that hold them. */
export type Brought =
  | 'deal'
  | 'sow_proposal'
  | 'approval_decision'
  | 'milestone_response'
  | 'bank_statement'
  | 'payment'
  | 'cancellation_request'
  | 'change_order'
  | 'project_sign_off'
  | 'usage_report'
  | 'collection_hold'
  | 'invoice_dispute'
  | 'invoice_correction'
  | 'billing_waiver'
  | 'time_entry';

/**
 * Senders of events, approvers and payers over HTTP. A request that was not answered, or with "later", is sent again with the same key until
 * it is; and of every third answer the sender learns nothing, sends again, and must be answered the same.
 */
export class Clients {
  private readonly brought = new Map<Brought, Map<string, number>>();
  /** After which answer the last request to a path was sent again. */
  private readonly again = new Map<string, string>();
  private readonly waiting = new Map<symbol, { readonly what: string; readonly since: number }>();
  sent = 0;
  repeated = 0;
  /** Answers that said "not now". */
  putOff = 0;
  readonly differing: string[] = [];
  private readonly api;

  constructor(
    private readonly stack: Pick<FaultStack, 'apiUrl' | 'webhookSecret'>,
    private readonly luck: Chance,
  ) {
    this.api = apiClient(stack.apiUrl, { mostAttempts: MOST_ATTEMPTS, onAgain: (path, answered) => void this.again.set(path, answered) });
  }

  /** Something that a person or a bank writes. Throws whatever is answered but yes. */
  write(userId: string, path: string, key: string, request: ApiRequest): Promise<ApiAnswer> {
    const full = { method: 'POST' as const, ...request, idempotencyKey: key };
    return this.twiceNowAndThen(`${full.method} ${path}`, () => this.api.person(userId)(path, full));
  }

  /** A CloudEvent, signed anew each time it is sent. */
  async event(event: { readonly id: string }): Promise<void> {
    const text = JSON.stringify(event);
    await this.twiceNowAndThen('POST /webhooks/cloudevents', () =>
      this.api.anyone('/webhooks/cloudevents', {
        method: 'POST',
        raw: { text, contentType: 'application/cloudevents+json' },
        headers: signStandardWebhook(text, this.stack.webhookSecret, event.id, new Date()),
      }),
    );
  }

  /** Something under a key was answered with yes: however often that happens, there shall be so many facts of it. */
  count(what: Brought, key: string, many = 1): void {
    this.brought.set(what, (this.brought.get(what) ?? new Map<string, number>()).set(key, many));
  }

  /** How many facts of each kind there must be. */
  expected(): ReadonlyMap<Brought, number> {
    return new Map([...this.brought].map(([what, keys]) => [what, [...keys.values()].reduce((sum, many) => sum + many, 0)]));
  }

  /** Requests that wait for their answer. */
  get inFlight(): string[] {
    return [...this.waiting.values()].map(({ what, since }) => {
      const last = this.again.get(what.split(' ')[1] ?? '');
      return `${what} waits for its answer for ${seconds(Date.now() - since)}${last === undefined ? '' : `, last told ${last}`}`;
    });
  }

  private async twiceNowAndThen(what: string, send: () => Promise<ApiAnswer>): Promise<ApiAnswer> {
    const again = this.luck.whole(1, 3) === 1;
    const first = await this.counted(what, send);
    if (!again) return first;
    this.repeated += 1;
    const second = await this.counted(what, send);
    if (!isDeepStrictEqual(stable(first), stable(second))) this.differing.push(`${what}: ${JSON.stringify([first, second])}`);
    return second;
  }

  private async counted(what: string, send: () => Promise<ApiAnswer>): Promise<ApiAnswer> {
    const one = Symbol(what);
    this.waiting.set(one, { what, since: Date.now() });
    this.sent += 1;
    try {
      return await this.untilTaken(send);
    } finally {
      this.waiting.delete(one);
    }
  }

  /** What passes by itself is asked again: a run that was interrupted may not know yet what its last effect has opened. */
  private async untilTaken(send: () => Promise<ApiAnswer>): Promise<ApiAnswer> {
    for (const deadline = Date.now() + PASSES_MS; ; await delay(500)) {
      try {
        return await send();
      } catch (error) {
        const code = error instanceof UnexpectedAnswer ? codeOf(error.answer) : undefined;
        if (code === undefined || !isPassing(code) || Date.now() > deadline) throw error;
        this.putOff += 1;
      }
    }
  }
}

/** An answer to a webhook tells how far its event is by then. */
function stable(answer: ApiAnswer): unknown {
  return JSON.parse(JSON.stringify(answer, (key, value: unknown) => (key === 'state' ? undefined : value)) ?? 'null');
}
