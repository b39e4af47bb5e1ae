import { type Kysely } from 'kysely';
import { replaceWaits } from '../../db/waits';
import { type DB } from '../../db/types';
import { addEndpoint, type EndpointKind } from '../../db/webhook-endpoints';
import { factKinds, type FactKind } from '../../domain/notification/facts';
import { newWebhookSecret, seal } from '../../integrations/sealed-secret';
import { uuidv7 } from 'uuidv7';

export const ENDPOINT_KEY = Buffer.alloc(32, 7).toString('base64');
export const DUE = '2026-03-04T09:00:00.000Z';

/** Makes an approval of the facts wait for a decision of the finance controller, as the effect that asks does. */
export async function askFinance(db: Kysely<DB>, approvalId: string): Promise<void> {
  const wait = { kind: 'decision', subject: 'kickoff/S1', role: 'finance-controller', entityId: 'LE-US', dealId: null, asks: 'decide' };
  await db
    .transaction()
    .execute((trx) => replaceWaits(trx, `approval/${approvalId}`, [{ ...wait, due: DUE, wakesAt: null }], '2026-03-02T10:00:00.000Z'));
}

/** An endpoint as the API registers it. */
export async function registerEndpoint(
  db: Kysely<DB>,
  url: string,
  { kind = 'webhook', facts = factKinds }: { kind?: EndpointKind; facts?: readonly FactKind[] } = {},
): Promise<{ id: string; secret: string }> {
  const id = uuidv7();
  const secret = newWebhookSecret();
  const sealed = (text: string) => seal(text, { key: ENDPOINT_KEY, of: id });
  const endpoint = { ...{ id, kind, facts }, name: 'test', origin: new URL(url).origin, createdBy: 'U-OPS', sealedUrl: sealed(url) };
  await db.transaction().execute((trx) => addEndpoint(trx, { ...endpoint, sealedSecret: kind === 'webhook' ? sealed(secret) : null }));
  return { id, secret };
}
