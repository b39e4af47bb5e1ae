import { createHash } from 'node:crypto';
import { type Kysely } from 'kysely';
import { signStandardWebhook } from '../integrations/standard-webhooks';
import { type DB } from '../db/types';
import { type ApiClient } from './api-client';

/** Where the play takes place: the API, and what the player has learnt of the deal's ids. */
export interface Stage {
  readonly api: ApiClient;
  readonly db: Kysely<DB>;
  readonly contractNumber: string;
  dealId(): Promise<string>;
  /** Null before the deal has been taken in. */
  knownDealId(): Promise<string | null>;
  contractLineId(lineId: string): Promise<string>;
  projectId(): Promise<string>;
  /** What is replaced (PUT) is whatever stands there; an answer among `accept` is one of those that may come. */
  write(userId: string, method: 'POST' | 'PUT', path: string, key: string, body: unknown, accept?: readonly number[]): Promise<void>;
  /** A CloudEvent over the signed webhook, signed anew each time it is sent. */
  postCloudEvent(messageId: string, event: unknown): Promise<void>;
  /** A statement that was imported before is not imported again, and that is fine. */
  postStatement(userId: string, key: string, xml: string): Promise<void>;
}

export function openStage(options: {
  readonly api: ApiClient;
  readonly db: Kysely<DB>;
  readonly contractNumber: string;
  readonly webhookSecret: string;
}): Stage {
  const { api, db, contractNumber, webhookSecret } = options;
  const keyed = (key: string): string => idempotencyKey(`${contractNumber}/${key}`);
  const knownDealId = async (): Promise<string | null> => {
    const deal = await db.selectFrom('deal').select('id').where('contract_number', '=', contractNumber).executeTakeFirst();
    return deal?.id ?? null;
  };
  const dealId = remember(async () => {
    const known = await knownDealId();
    if (known === null) throw new Error(`the deal of contract ${contractNumber} is not there; was its event taken?`);
    return known;
  });
  const lineIds = new Map<string, () => Promise<string>>();
  return {
    api,
    db,
    contractNumber,
    dealId,
    knownDealId,
    contractLineId: async (lineId) => {
      const known = lineIds.get(lineId) ?? remember(async () => lineRow(db, await dealId(), lineId));
      lineIds.set(lineId, known);
      return known();
    },
    projectId: remember(async () => {
      const project = await db
        .selectFrom('project')
        .select('id')
        .where('deal_id', '=', await dealId())
        .executeTakeFirst();
      if (project === undefined) throw new Error(`the deal of contract ${contractNumber} has no project yet`);
      return project.id;
    }),
    write: async (userId, method, path, key, body, accept = []) => {
      const headers = method === 'PUT' ? { 'if-match': '*' } : {};
      await api.person(userId)(path, { method, body, idempotencyKey: keyed(key), headers, accept });
    },
    postCloudEvent: async (messageId, event) => {
      const text = JSON.stringify(event);
      await api.anyone('/webhooks/cloudevents', {
        method: 'POST',
        raw: { text, contentType: 'application/cloudevents+json' },
        headers: signStandardWebhook(text, webhookSecret, messageId, new Date()),
      });
    },
    postStatement: async (userId, key, xml) => {
      await api.person(userId)('/v1/bank-statements', {
        method: 'POST',
        raw: { text: xml, contentType: 'application/xml' },
        idempotencyKey: keyed(key),
        accept: [409],
      });
    },
  };
}

async function lineRow(db: Kysely<DB>, dealId: string, lineId: string): Promise<string> {
  const line = await db
    .selectFrom('contract_line')
    .select('id')
    .where('deal_id', '=', dealId)
    .where('line_id', '=', lineId)
    .executeTakeFirst();
  if (line === undefined) throw new Error(`contract line ${lineId} is not there yet`);
  return line.id;
}

/** Keys of a person are one space, so those of a play begin with the contract number; what is no key as it stands is hashed. */
function idempotencyKey(text: string): string {
  return /^[\x21-\x7e]{1,200}$/.test(text) ? text : createHash('sha256').update(text).digest('hex');
}

/** Asks until there is an answer, and then never again. */
function remember<T>(ask: () => Promise<T>): () => Promise<T> {
  let known: { readonly value: T } | undefined;
  return async () => {
    known ??= { value: await ask() };
    return known.value;
  };
}
