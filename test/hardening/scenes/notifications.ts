import { MAX_ATTEMPTS } from '../../../domain/notification/schedule';
import { of, type Firm, type Send } from '../firm';
import { NOBODY_S_ID as NO_ID, type Expectations, type Scene } from './scene';

const DAY = '2091-01-01';
const ENDPOINT = {
  kind: 'webhook',
  name: 'nobody',
  url: 'https://hooks.example.invalid/',
  facts: ['approval.asked', 'approval.withdrawn'],
};

/** An endpoint that nobody answers at: what is sent there dies, is sent once more, and ends with the endpoint. */
export const notifications: Scene = {
  name: 'notifications',
  play: async (firm, expect) => {
    const operator = await firm.as('U-OPS');
    await preferences(firm, expect);
    const endpoint = { body: ENDPOINT, key: 'the-endpoint' };
    expect.code(
      await operator('POST', '/v1/webhook-endpoints', { body: { ...ENDPOINT, url: 'http://10.0.0.1/' } }),
      'EndpointAddressRefused',
    );
    const { id } = of<{ id: string }>(await operator('POST', '/v1/webhook-endpoints', endpoint), 201);
    expect.code(await operator('POST', '/v1/webhook-endpoints', endpoint), 'EndpointExists');
    of(await operator('GET', '/v1/webhook-endpoints'), 200);
    await askAndWithdraw(firm);
    const letter = await deadLetter(firm, operator, id);
    const replay = `/v1/notifications/${letter}/replay`;
    of(await operator('POST', replay), 202);
    expect.code(await operator('POST', replay), 'NotificationNotDead');
    expect.code(await operator('POST', `/v1/notifications/${NO_ID}/replay`), 'NotificationUnknown');
    of(await operator('DELETE', `/v1/webhook-endpoints/${id}`), 200);
    expect.code(await operator('DELETE', `/v1/webhook-endpoints/${NO_ID}`), 'EndpointUnknown');
  },
};

async function preferences(firm: Firm, expect: Expectations): Promise<void> {
  const pmo = await firm.as('U-PMO');
  const wish = { mail: true, digest: { kind: 'daily', hour: 8 } };
  of(await pmo('PUT', '/v1/me/notification-preferences', { body: wish }), 200);
  expect.same(of(await pmo('GET', '/v1/me/notification-preferences'), 200), wish, 'how the PMO is told');
}

/** A decision is asked for and not needed any more: two facts. */
async function askAndWithdraw(firm: Firm): Promise<void> {
  const pmo = await firm.as('U-PMO');
  const inForce = `/v1/policies/closing/in-force?on=${DAY}`;
  const { group, content } = of<{ group: { versionId: string }; content: { closeDay: number } }>(await pmo('GET', inForce), 200);
  const asked = { basedOn: group.versionId, effectiveFrom: DAY, content: { ...content, closeDay: content.closeDay + 1 }, reason: 'later' };
  const { approvalId } = of<{ approvalId: string }>(await pmo('POST', '/v1/policies/closing/changes', { body: asked }), 201);
  of(await pmo('POST', `/v1/approvals/${approvalId}/withdrawal`, { body: { reason: 'not now' } }), 202);
}

/** One of the messages to the endpoint, brought to its last attempt. */
async function deadLetter(firm: Firm, operator: Send, endpointId: string): Promise<string> {
  const { db } = firm.installation;
  const tried = async () => {
    const row = await db
      .selectFrom('notification')
      .select('id')
      .where('endpoint_id', '=', endpointId)
      .where('failure', 'is not', null)
      .executeTakeFirst();
    return row?.id;
  };
  const id = await firm.until('a message to fail', tried);
  const last = { attempts: MAX_ATTEMPTS - 1, send_at: new Date().toISOString() };
  await db.updateTable('notification').set(last).where('id', '=', id).execute();
  return firm.until('a dead letter', async () => {
    const { data } = of<{ data: { id: string }[] }>(await operator('GET', '/v1/notifications/dead'), 200);
    return data.find((letter) => letter.id === id)?.id;
  });
}
