import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { masterDataFiles, masterDataRows, optionalMasterDataFiles, optionalMasterDataRows } from '../../contracts/master-data';
import { signStandardWebhook } from '../../integrations/standard-webhooks';
import { castOf, type Cast } from '../../simulation/cast';
import { clockMoment, playTime } from '../../simulation/driver';
import { readDealFolder, type DealFolder } from '../../simulation/folder';
import { answerApprovals } from '../../simulation/people';
import { openStage } from '../../simulation/stage';
import { UnexpectedAnswer, type ApiClient, type Caller } from '../../simulation/api-client';
import { type Corpus } from './corpus';
import { exchange, type Answer, type Sent } from './http';
import { type Installation } from './installation';
import { type Witness } from './witness';

export interface Asked {
  readonly body?: unknown;
  /** Sent as it stands, with its content type. */
  readonly raw?: string | Buffer;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly key?: string;
  /** True where a server that the request needs is really down. */
  readonly isOut?: boolean;
}

/** Sends one request as somebody. */
export type Send = (method: string, path: string, asked?: Asked) => Promise<Answer>;

export interface Deal {
  readonly id: string;
  readonly code: string;
  readonly contractNumber: string;
}

const ANSWER_WITHIN_MS = 20_000;

/** The people and systems of the firm that is served: everything they do goes over HTTP, and the witness sees every answer. */
export class Firm {
  readonly anyone: Send;
  readonly api: ApiClient;
  private readonly tokens = new Map<string, string>();
  private readonly folder: DealFolder;
  private readonly cast: Cast;
  private readonly deals: Deal[] = [];

  constructor(
    readonly installation: Installation,
    readonly witness: Witness,
    readonly corpus: Corpus,
  ) {
    this.anyone = this.sender(null, null);
    this.folder = readDealFolder(installation.firmFolder);
    this.cast = castOf(this.folder);
    this.api = { anyone: callerOf(this.anyone), person: (userId) => callerOf(async (...request) => (await this.as(userId))(...request)) };
  }

  get secrets() {
    return this.installation.secrets;
  }

  /** A person, with a token of the development issuer. */
  async as(userId: string): Promise<Send> {
    return this.sender(userId, `Bearer ${await this.token(userId)}`);
  }

  async token(userId: string): Promise<string> {
    const known = this.tokens.get(userId);
    if (known !== undefined) return known;
    const { token } = of<{ token: string }>(await this.anyone('POST', '/v1/dev/token', { body: { userId } }), 200);
    this.tokens.set(userId, token);
    return token;
  }

  /** An integration with a new key of some roles, made by the operator. */
  async withKey(roles: readonly string[], more: Record<string, unknown> = {}): Promise<Send & { readonly keyId: string }> {
    const body = { name: 'an integration', roles, scope: { kind: 'group' }, ...more };
    const { id, key } = of<{ id: string; key: string }>(await (await this.as('U-OPS'))('POST', '/v1/api-keys', { body }), 201);
    this.tokens.set(`key:${roles.join('+')}`, key);
    return Object.assign(this.sender(`key:${roles.join('+')}`, `Bearer ${key}`), { keyId: id });
  }

  /** Somebody with this credential, whatever it is worth. */
  bearing(credential: string): Send {
    return this.sender(null, credential);
  }

  /** A deal is won: the CRM tells it, and it waits for what comes next. */
  async win(code: string, data: Record<string, unknown>): Promise<Deal> {
    const contractNumber = `CT-${code}`;
    const at = await this.now();
    const event = {
      specversion: '1.0',
      id: `evt-${code}`,
      source: 'https://crm.example/deals',
      type: 'example.crm.deal.closed.v1',
      subject: `deal/${code}`,
      time: at,
      data: {
        dealId: code,
        sourceSystem: 'crm',
        name: `Deal ${code}`,
        contractId: contractNumber,
        shortCode: code,
        projectCode: `PRJ-${code}`,
        closedAt: at,
        ...data,
      },
    };
    of(await this.postEvent(event), 202);
    const id = await this.until(`deal ${code}`, async () => {
      const found = await this.installation.db
        .selectFrom('deal')
        .select('id')
        .where('contract_number', '=', contractNumber)
        .executeTakeFirst();
      return found?.id;
    });
    const deal = { id, code, contractNumber };
    this.deals.push(deal);
    return deal;
  }

  deal(code: string): Deal {
    const found = this.deals.find((deal) => deal.code === code);
    if (found === undefined) throw new Error(`deal ${code} was not won`);
    return found;
  }

  postEvent(event: unknown, secret = this.secrets.crm, at = new Date()): Promise<Answer> {
    const raw = typeof event === 'string' ? event : JSON.stringify(event);
    const headers = signStandardWebhook(raw, secret, 'msg-1', at);
    return this.anyone('POST', '/webhooks/cloudevents', { raw, type: 'application/cloudevents+json', headers });
  }

  /** All that were won so far. */
  everyDeal(): readonly Deal[] {
    return this.deals;
  }

  /**
   * Everybody who is asked about a deal says yes until the deal is in that state. A state that the next yes ends is reached by naming the
   * kind of subject that leads there: what is asked of others then waits.
   */
  async bring(deal: Deal, state: string, subjectKind?: string): Promise<void> {
    await this.until(`deal ${deal.code} to be ${state}`, async () => {
      const { db } = this.installation;
      const row = await db.selectFrom('deal').select('state').where('id', '=', deal.id).executeTakeFirstOrThrow();
      if (row.state === state) return true;
      await this.answer(deal, subjectKind);
      return false;
    });
  }

  /** People grant what is asked of them about a deal now; how many decisions they took. */
  async answer(deal: Deal, subjectKind?: string): Promise<number> {
    const { db } = this.installation;
    const stage = openStage({ api: this.api, db, contractNumber: deal.contractNumber, webhookSecret: this.secrets.crm });
    return (await answerApprovals(stage, this.folder, this.cast, subjectKind)).length;
  }

  /** Business time goes on to a moment; who is asked on the way says yes, but about deals that are left alone. */
  async passTo(moment: string, leftAlone: readonly Deal[] = []): Promise<void> {
    const { client, db } = this.installation;
    const now = async () => (await clockMoment(db)) ?? '';
    await playTime(
      {
        nextMoment: async () => ((await now()) < moment ? moment : null),
        deliver: () => Promise.resolve(0),
        answer: async () => {
          let taken = 0;
          for (const deal of this.deals) if (!leftAlone.includes(deal)) taken += await this.answer(deal);
          return taken;
        },
        finished: async () => (await now()) >= moment,
      },
      { client, db },
    );
  }

  async now(): Promise<string> {
    return (await clockMoment(this.installation.db)) ?? '';
  }

  /** The firm's master data as it is sent over HTTP: JSON files as JSON, CSV files as their text. */
  firmFiles(): Record<string, unknown> {
    const { firmFolder } = this.installation;
    const wanted = [masterDataFiles, masterDataRows, optionalMasterDataFiles, optionalMasterDataRows].flatMap((files) =>
      Object.keys(files),
    );
    const names = [...wanted, ...readdirSync(firmFolder).filter((name) => name.endsWith('policy.json'))];
    const present = [...new Set(names)].filter((name) => existsSync(join(firmFolder, name)));
    return Object.fromEntries(
      present.map((name) => {
        const text = readFileSync(join(firmFolder, name), 'utf8');
        return [name, name.endsWith('.json') ? (JSON.parse(text) as unknown) : text];
      }),
    );
  }

  async lineOf(deal: Deal, lineId: string): Promise<string> {
    return this.until(`line ${lineId}`, async () => {
      const { db } = this.installation;
      const line = await db
        .selectFrom('contract_line')
        .select('id')
        .where('deal_id', '=', deal.id)
        .where('line_id', '=', lineId)
        .executeTakeFirst();
      return line?.id;
    });
  }

  /** Asks until there is an answer other than undefined, null or false. */
  async until<T>(what: string, ask: () => Promise<T | undefined | null | false>, patienceMs = 60_000): Promise<T> {
    for (const deadline = Date.now() + patienceMs; Date.now() < deadline; await delay(25)) {
      const found = await ask();
      if (found !== undefined && found !== null && found !== false) return found;
    }
    throw new Error(`waited ${patienceMs / 1000} s for ${what}`);
  }

  private sender(principal: string | null, authorization: string | null): Send {
    return async (method, path, asked = {}) => {
      const sent = request(method, path, asked, authorization);
      const answer = await exchange(this.installation.apiUrl, sent, ANSWER_WITHIN_MS);
      this.witness.saw(sent, answer, asked.isOut);
      if (answer.status >= 200 && answer.status < 300) this.corpus.keep(sent, principal, answer.body);
      return answer;
    };
  }
}

export function request(method: string, path: string, asked: Asked, authorization: string | null): Sent {
  const { raw, body } = asked;
  const bytes = raw !== undefined ? Buffer.from(raw) : body === undefined ? null : Buffer.from(JSON.stringify(body));
  const type = asked.type ?? (body === undefined ? undefined : 'application/json');
  const headers = {
    ...(authorization === null ? {} : { authorization }),
    ...(type === undefined ? {} : { 'content-type': type }),
    ...(asked.key === undefined ? {} : { 'idempotency-key': asked.key }),
    ...asked.headers,
  };
  return { method, path, headers, body: bytes };
}

/** The body of an answer that has to have this status. */
export function of<T = unknown>(answer: Answer, status: number): T {
  if (answer.status !== status) throw new Error(`expected ${status}, was answered ${answer.status}: ${answer.text.slice(0, 600)}`);
  return answer.body as T;
}

/** The player's view of the same: what was not accepted is thrown. */
function callerOf(send: Send): Caller {
  return async (path, { method = 'GET', body, raw, idempotencyKey, headers, accept = [] } = {}) => {
    const answer = await send(method, path, {
      ...(body === undefined ? {} : { body }),
      ...(raw === undefined ? {} : { raw: raw.text, type: raw.contentType }),
      ...(idempotencyKey === undefined ? {} : { key: idempotencyKey }),
      ...(headers === undefined ? {} : { headers }),
    });
    const isFine = (answer.status >= 200 && answer.status < 300) || accept.includes(answer.status);
    if (!isFine) throw new UnexpectedAnswer(`${method} ${path}`, { status: answer.status, body: answer.body });
    return { status: answer.status, body: answer.body };
  };
}
