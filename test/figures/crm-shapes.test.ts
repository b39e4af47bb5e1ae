import { setTimeout as delay } from 'node:timers/promises';
import { signHubspotRequest } from '../../integrations/hubspot/signature';
import { signStandardWebhook } from '../../integrations/standard-webhooks';
import { moveClock } from '../../simulation/driver';
import { startCrmServer, type CrmServer } from '../support/crm-server';
import { readJson, referenceDealFolder, seedReferenceDeal } from '../support/reference-deal';
import { uniqueName } from '../support/temporal';
import { startInstallation, webhookSecret, type Installation } from '../e2e/installation';

const hubspotSecret = 'client secret of the tests';
const relaySecret = 'whsec_cmVsYXkgc2VjcmV0IG9mIHRoZSBwbGF5ZWQgZGVhbCEh';
const outboundToken = 'outbound-token-of-the-crm-test-01';
const organizationId = '00DHs0000012345MAA';

/** A signed request of one CRM channel that says: the deal is won. */
type Tell = (apiUrl: string) => Promise<number>;

const folder = referenceDealFolder();
const opportunityId = readJson<{ Id: string }>(folder, 'salesforce-opportunity.json').Id;

const channels: Readonly<Record<string, Tell>> = {
  CloudEvents: (apiUrl) => {
    const text = JSON.stringify(readJson(folder, 'deal-closed.cloudevents.json'));
    const headers = {
      ...signStandardWebhook(text, webhookSecret, 'msg-cloudevent', new Date()),
      'content-type': 'application/cloudevents+json',
    };
    return post(`${apiUrl}/webhooks/cloudevents`, text, headers);
  },
  HubSpot: (apiUrl) => {
    const text = JSON.stringify(readJson(folder, 'hubspot-webhook.json'));
    const url = `${apiUrl}/webhooks/hubspot`;
    const timestamp = String(Date.now());
    const signature = signHubspotRequest({ method: 'POST', url, rawBody: Buffer.from(text), timestamp }, hubspotSecret);
    return post(url, text, {
      'content-type': 'application/json',
      'x-hubspot-signature-v3': signature,
      'x-hubspot-request-timestamp': timestamp,
    });
  },
  'Salesforce change event': (apiUrl) => {
    const text = JSON.stringify(readJson(folder, 'salesforce-opportunity-cdc.json'));
    const headers = { ...signStandardWebhook(text, relaySecret, 'msg-change', new Date()), 'content-type': 'application/json' };
    return post(`${apiUrl}/webhooks/salesforce/change-events`, text, headers);
  },
  'Salesforce outbound message': (apiUrl) =>
    post(`${apiUrl}/webhooks/salesforce/outbound-message?token=${outboundToken}`, outboundMessage(opportunityId), {
      'content-type': 'text/xml; charset=utf-8',
    }),
};

describe('a deal that is won', () => {
  let crm: CrmServer;
  const installations: Installation[] = [];

  beforeAll(async () => {
    crm = await startCrmServer({ folder });
  });
  afterAll(async () => {
    for (const installation of installations) await installation.close();
    await crm.close();
  });

  test('is the same deal through each CRM shape, and one deal through all of them at once, however often', async () => {
    const told: Record<string, Awaited<ReturnType<typeof dealsOf>>> = {};
    for (const [channel, tell] of Object.entries(channels)) {
      const installation = await open(channel.replaceAll(' ', '-').toLowerCase());
      expect([200, 202]).toContain(await tell(installation.apiUrl));
      told[channel] = await dealsOf(installation);
    }
    const [first, ...others] = Object.values(told);
    expect(first).toHaveLength(1);
    for (const other of others) expect(other).toEqual(first);

    const together = await open('together');
    const storm = Object.values(channels).flatMap((tell) => [tell, tell, tell]);
    const answers = await Promise.all(storm.map((tell) => tell(together.apiUrl)));
    expect(answers.filter((status) => status !== 200 && status !== 202)).toEqual([]);
    expect(await dealsOf(together)).toEqual(first);
    await undelivered(together);
    const names = await together.db.selectFrom('deal_alias').select(['source', 'external_id']).execute();
    for (const source of ['hubspot', 'salesforce', 'contract']) expect(names.map((name) => name.source)).toContain(source);
    const runs = [];
    for await (const run of together.client.workflow.list({ query: 'WorkflowType = "dealToCash"' })) runs.push(run.workflowId);
    expect(runs).toHaveLength(1);
  }, 540_000);

  async function open(name: string): Promise<Installation> {
    const installation = await startInstallation(uniqueName(name), {
      HUBSPOT_CLIENT_SECRET: hubspotSecret,
      HUBSPOT_ACCESS_TOKEN: crm.token,
      HUBSPOT_BASE_URL: crm.url,
      SALESFORCE_BASE_URL: crm.url,
      SALESFORCE_ACCESS_TOKEN: crm.token,
      SALESFORCE_RELAY_SECRET: relaySecret,
      SALESFORCE_OUTBOUND_TOKEN: outboundToken,
      SALESFORCE_ORGANIZATION_ID: organizationId,
    });
    installations.push(installation);
    await seedReferenceDeal(installation.db, folder);
    await moveClock(installation.db, '2026-01-23T14:05:22.000Z');
    return installation;
  }
});

/** The deals once their handoff is complete: what the contract will be made from. */
async function dealsOf({ db }: Installation) {
  for (let attempt = 0; attempt < 300; attempt += 1) {
    const deals = await db
      .selectFrom('deal')
      .select(['contract_number', 'customer_id', 'entity_ids', 'state', 'terms', 'terms_hash'])
      .execute();
    if (deals.length > 0 && deals.every((deal) => deal.state === 'terms')) return deals;
    await delay(100);
  }
  throw new Error(JSON.stringify(await db.selectFrom('inbox_event').select(['source', 'type', 'state', 'errors']).execute()));
}

async function undelivered({ db }: Installation): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt += 1) {
    const left = await db.selectFrom('inbox_event').select('id').where('state', 'in', ['received', 'failed', 'invalid']).execute();
    if (left.length === 0) return;
    await delay(100);
  }
  throw new Error(JSON.stringify(await db.selectFrom('inbox_event').select(['source', 'type', 'state', 'errors']).execute()));
}

async function post(url: string, body: string, headers: Record<string, string>): Promise<number> {
  return (await fetch(url, { method: 'POST', body, headers })).status;
}

function outboundMessage(id: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
 <soapenv:Body>
  <notifications xmlns="http://soap.sforce.com/2005/09/outbound">
   <OrganizationId>${organizationId}</OrganizationId>
   <ActionId>04kHs000000abcdIAA</ActionId>
   <SessionId xsi:nil="true"/>
   <EnterpriseUrl>https://example.my.salesforce.example/services/Soap/c/62.0</EnterpriseUrl>
   <PartnerUrl>https://example.my.salesforce.example/services/Soap/u/62.0</PartnerUrl>
   <Notification><Id>04lHs000000wxyzIAA</Id><sObject xsi:type="sf:Opportunity" xmlns:sf="urn:sobject.enterprise.soap.sforce.com"><sf:Id>${id}</sf:Id><sf:StageName>Closed Won</sf:StageName><sf:IsWon>true</sf:IsWon><sf:LastModifiedDate>2026-01-23T14:05:21.000Z</sf:LastModifiedDate></sObject></Notification>
  </notifications>
 </soapenv:Body>
</soapenv:Envelope>`;
}
