import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { of, type Firm } from '../firm';
import { signatureFor } from '../signatures';
import { between, fixedFee } from './deals';
import { type Expectations, type Scene } from './scene';

/** What CRMs send, and what becomes of it in the inbox. */
export const events: Scene = {
  name: 'events of CRMs',
  play: async (firm, expect) => {
    await cloudEvents(firm, expect);
    await crmEvents(firm, expect);
    await inbox(firm, expect);
  },
};

const envelope = (id: string, data: unknown) => ({
  specversion: '1.0',
  id,
  source: 'https://crm.example/deals',
  type: 'example.crm.deal.closed.v1',
  time: '2026-03-02T15:00:00Z',
  data,
});
const won = (code: string, over: Record<string, unknown> = {}) => ({
  dealId: code,
  sourceSystem: 'crm',
  name: code,
  contractId: `CT-${code}`,
  shortCode: code,
  projectCode: `PRJ-${code}`,
  closedAt: '2026-03-02T15:00:00Z',
  ...between,
  lines: [fixedFee()],
  ...over,
});

async function cloudEvents(firm: Firm, expect: Expectations): Promise<void> {
  expect.code(await firm.postEvent('{"hello":1}'), 'EventInvalid');
  expect.code(
    await firm.postEvent(envelope('bad', won('BAD', { lines: [fixedFee({ currency: 'XXQ', fixedFee: '1.234.5' })] }))),
    'DealInvalid',
  );
  expect.code(await firm.postEvent(envelope('malformed', won('BAD', { lines: [fixedFee({ fixedFee: '1e5' })] }))), 'MoneyMalformed');
  expect.code(await firm.postEvent(envelope('precise', won('BAD', { lines: [fixedFee({ fixedFee: '10.123' })] }))), 'MoneyTooPrecise');
  expect.code(
    await firm.postEvent(envelope('large', won('BAD', { lines: [fixedFee({ fixedFee: '99999999999999999999.00' })] }))),
    'MoneyTooLarge',
  );
  expect.code(await firm.postEvent('{}', firm.secrets.relay), 'SignatureInvalid');
  expect.code(await firm.postEvent('{}', firm.secrets.crm, new Date(Date.now() - 600_000)), 'SignatureStale');
  expect.status(await firm.postEvent(envelope('taken', won('TAKEN'))), 202);
  expect.code(await firm.postEvent(envelope('taken', won('OTHER'))), 'EventIdReused');
  // What only shows when the event is handed on is told by the inbox.
  const later = [
    ['short', won('SHORT', { shortCode: 'TAKEN' }), 'DealShortCodeTaken'],
    ['entity', won('ENTITY', { leadEntity: 'LE-XX' }), 'LegalEntityUnknown'],
  ] as const;
  await firm.until('the first deal', async () => {
    const found = await firm.installation.db.selectFrom('deal').select('id').where('contract_number', '=', 'CT-TAKEN').executeTakeFirst();
    return found !== undefined;
  });
  expect.status(
    await firm.postEvent(envelope('second', won('SECOND', { otherIds: { salesforceOpportunityId: '006Hs00009vWq2KIAS' } }))),
    202,
  );
  for (const [id, data, code] of later) {
    const { events: told } = of<{ events: { inboxEventId: string }[] }>(await firm.postEvent(envelope(id, data)), 202);
    await toldLater(firm, expect, told[0]?.inboxEventId ?? '', code);
  }
  const both = { sourceSystem: 'crm', dealId: 'TAKEN', otherIds: { salesforceOpportunityId: '006Hs00009vWq2KIAS' } };
  await firm.until('the second deal', async () => {
    const found = await firm.installation.db.selectFrom('deal').select('id').where('contract_number', '=', 'CT-SECOND').executeTakeFirst();
    return found !== undefined;
  });
  const { events: told } = of<{ events: { inboxEventId: string }[] }>(await firm.postEvent(envelope('both', won('TAKEN', both))), 202);
  await toldLater(firm, expect, told[0]?.inboxEventId ?? '', 'DealAliasConflict');
}

async function crmEvents(firm: Firm, expect: Expectations): Promise<void> {
  const { crm } = firm.installation;
  const text = (file: string) => readFileSync(join(firm.installation.firmFolder, file), 'utf8');
  const post = async (path: string, raw: string, type = 'application/json') =>
    firm.anyone('POST', path, {
      raw,
      type,
      headers: signatureFor(firm.secrets, firm.installation.apiUrl, { path, body: Buffer.from(raw) }) ?? {},
    });
  const batch = JSON.parse(text('hubspot-webhook.json')) as Record<string, unknown>[];
  const hubspot = async (over: Record<string, unknown>) => {
    const own = batch.slice(1, 2).map((event) => ({ ...event, ...over }));
    return (
      of<{ events: { inboxEventId: string }[] }>(await post('/webhooks/hubspot', JSON.stringify(own)), 202).events[0]?.inboxEventId ?? ''
    );
  };
  expect.code(await post('/webhooks/hubspot', '[{"eventId":"x"}]'), 'EventInvalid');
  await toldLater(firm, expect, await hubspot({ eventId: 101, objectId: 404 }), 'CrmRecordNotFound');
  crm.fail({ kind: 'status', status: 400 });
  await toldLater(firm, expect, await hubspot({ eventId: 102, objectId: 403 }), 'CrmRequestRefused');
  crm.heal();
  crm.deals.set('500', { ...[...crm.deals.values()][0], id: 500 });
  await toldLater(firm, expect, await hubspot({ eventId: 103, objectId: 500 }), 'CrmAnswerUnexpected');
  crm.fail({ kind: 'garbage' }, 1);
  await toldLater(firm, expect, await hubspot({ eventId: 104, objectId: 501 }), 'DeliveryFailed');
  expect.status(await post('/webhooks/salesforce/change-events', text('salesforce-opportunity-cdc.json')), 202);
  expect.code(await post('/webhooks/salesforce/change-events', '{}'), 'EventInvalid');
  const outbound = `/webhooks/salesforce/outbound-message?token=${firm.secrets.outboundToken}`;
  expect.status(await post(outbound, soap(firm.secrets.organizationId), 'text/xml'), 200);
  expect.code(await post(outbound, '<a>', 'text/xml'), 'XmlMalformed');
  expect.code(await post(outbound, '<a/>', 'text/xml'), 'SoapUnexpected');
  expect.code(await post(outbound, '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', 'text/xml'), 'XmlUnsafe');
  expect.code(await post(outbound, `<a>${'<b/>'.repeat(200_000)}</a>`, 'text/xml'), 'XmlTooLarge');
}

function soap(organizationId: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
 <soapenv:Body>
  <notifications xmlns="http://soap.sforce.com/2005/09/outbound">
   <OrganizationId>${organizationId}</OrganizationId>
   <ActionId>04kHs0000008OPqIAM</ActionId>
   <SessionId xsi:nil="true"/>
   <Notification>
    <Id>04lHs00000AbCdEIAV</Id>
    <sObject xsi:type="sf:Opportunity" xmlns:sf="urn:sobject.enterprise.soap.sforce.com">
     <sf:Id>006Hs00001vWq2KIAS</sf:Id>
     <sf:SystemModstamp>2026-01-23T14:05:21.000Z</sf:SystemModstamp>
    </sObject>
   </Notification>
  </notifications>
 </soapenv:Body>
</soapenv:Envelope>`;
}

async function inbox(firm: Firm, expect: Expectations): Promise<void> {
  const operator = await firm.as('U-OPS');
  const { data } = of<{ data: { id: string; state: string }[] }>(await operator('GET', '/v1/inbox-events?limit=200'), 200);
  const inState = (state: string) => data.find((event) => event.state === state)?.id ?? '';
  expect.status(await operator('POST', `/v1/inbox-events/${inState('failed') || inState('invalid')}/replay`), 202);
  expect.code(await operator('POST', `/v1/inbox-events/${inState('delivered')}/replay`), 'InboxEventNotReplayable');
}

/** Asks the inbox until the event says what became of it. */
export async function toldLater(firm: Firm, expect: Expectations, inboxEventId: string, code: string): Promise<void> {
  const operator = await firm.as('U-OPS');
  let last = '';
  const isTold = await firm
    .until(
      `${code} of event ${inboxEventId}`,
      async () => {
        const { errors, state } = of<{ state: string; errors: { violation: string }[] }>(
          await operator('GET', `/v1/inbox-events/${inboxEventId}`),
          200,
        );
        last = `${state} ${JSON.stringify(errors)}`;
        return errors.some(({ violation }) => violation === code) || (['ignored', 'failed', 'invalid'].includes(state) && 'other');
      },
      20_000,
    )
    .catch(() => false);
  expect.that(isTold === true, `event ${inboxEventId} tells ${code}: ${last}`);
}
