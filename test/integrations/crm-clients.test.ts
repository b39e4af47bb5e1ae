import { CrmUnavailable } from '../../integrations/crm-http';
import { createHubspotClient } from '../../integrations/hubspot/client';
import { normaliseHubspotDeal } from '../../integrations/hubspot/normalise';
import { createSalesforceClient } from '../../integrations/salesforce/client';
import { normaliseOpportunity } from '../../integrations/salesforce/normalise';
import { type CrmServer, startCrmServer } from '../support/crm-server';
import { readDealEvent } from '../../integrations/cloudevents';
import { referenceJson, wonDeal } from './reference-deal';

const dealId = '31870459226';
const opportunityId = '006Hs00001vWq2KIAS';
let crm: CrmServer;
const connection = () => ({ baseUrl: crm.url, accessToken: crm.token, timeoutMs: 300 });
const fetchDeal = (id = dealId) => createHubspotClient(connection()).fetchDeal(id);
const fetchOpportunity = (id = opportunityId) => createSalesforceClient(connection()).fetchOpportunity(id);

afterEach(() => crm.close());

describe('the CRM clients', () => {
  beforeEach(async () => {
    crm = await startCrmServer();
  });

  it('fetch what the normalised deal needs', async () => {
    const terms = wonDeal(readDealEvent(referenceJson('deal-closed.cloudevents.json'))).terms;
    const records = await fetchDeal();
    const opportunity = await fetchOpportunity();
    if ('violation' in records || 'violation' in opportunity) throw new Error('refused');
    expect(wonDeal(normaliseHubspotDeal(records)).terms).toEqual(terms);
    expect(wonDeal(normaliseOpportunity(opportunity as never)).terms).toEqual(terms);
    expect(crm.requests.map(({ method, path }) => `${method} ${path.replace(/\?.*/, '')}`)).toEqual([
      'GET /crm/v3/objects/deals/31870459226',
      'GET /crm/v3/objects/companies/18420077311',
      'POST /crm/v3/objects/line_items/batch/read',
      'GET /services/data/v62.0/query',
    ]);
  });

  it.each([
    ['too many requests', { kind: 'status', status: 429, retryAfterSeconds: 7 }, { status: 429, retryAfterSeconds: 7 }],
    ['an error of the server', { kind: 'status', status: 503 }, { status: 503, retryAfterSeconds: null }],
    ['a token that is refused', { kind: 'status', status: 401 }, { status: 401 }],
    ['a redirect, which could carry the token away', { kind: 'status', status: 302 }, { status: 302 }],
    ['no answer in time', { kind: 'slow', milliseconds: 2000 }, { status: null }],
    ['a broken connection', { kind: 'dropped' }, { status: null }],
    ['an answer that is no JSON', { kind: 'garbage' }, { status: 200 }],
  ] as const)('throw an outage that is worth repeating: %s', async (_, fault, expected) => {
    for (const fetch of [fetchDeal, fetchOpportunity]) {
      crm.fail(fault, 1);
      const error: unknown = await fetch().catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(CrmUnavailable);
      expect(error).toMatchObject(expected);
      expect(String(error)).not.toContain(crm.token);
      expect(await fetch()).not.toHaveProperty('violation');
    }
  });

  it('refuse what a repetition would not change', async () => {
    expect(await fetchDeal('999')).toMatchObject({ violation: 'CrmRecordNotFound' });
    expect(await fetchDeal('../companies/1')).toMatchObject({ violation: 'CrmRecordNotFound' });
    expect(await fetchOpportunity('006Hs00001vWq2LIAS')).toMatchObject({ violation: 'CrmRecordNotFound' });
    expect(await fetchOpportunity("006' OR Id != '")).toMatchObject({ violation: 'CrmRecordNotFound' });
    crm.fail({ kind: 'status', status: 400 });
    expect(await fetchDeal()).toMatchObject({ violation: 'CrmRequestRefused' });
    expect(await fetchOpportunity()).toMatchObject({ violation: 'CrmRequestRefused' });
    crm.heal();
    crm.deals.set('5', { id: 5, properties: {} });
    expect(await fetchDeal('5')).toMatchObject({ violation: 'CrmAnswerUnexpected' });
  });

  it('refuse a deal of which line items are missing, because the rest is another deal', async () => {
    crm.lineItems.delete('27714400137');
    expect(await fetchDeal()).toEqual({ violation: 'CrmRecordsIncomplete', detail: 'line items not delivered: 27714400137' });
  });

  it('cannot be pointed at another host by the address of a next page', async () => {
    const page = { totalSize: 2, done: false, records: [{}], nextRecordsUrl: 'https://thief.example/services/data/v62.0/query/1' };
    const body = { records: [{ Id: opportunityId, OpportunityLineItems: page }] };
    const fetch = jest.spyOn(globalThis, 'fetch').mockResolvedValue(Response.json(body));
    expect(await fetchOpportunity()).toMatchObject({ violation: 'CrmAnswerUnexpected' });
    expect(fetch).toHaveBeenCalledTimes(1);
    fetch.mockRestore();
  });
});

describe('a deal with many lines', () => {
  it('is read completely: pages of associations, a hundred line items per call', async () => {
    crm = await startCrmServer({ pageSize: 90 });
    const template = crm.lineItems.get('27714400137')!;
    const ids = Array.from({ length: 230 }, (_, index) => String(500 + index));
    ids.forEach((id, index) =>
      crm.lineItems.set(id, { ...template, id, properties: { ...(template.properties as object), line_code: `X${index + 1}` } }),
    );
    const deal = crm.deals.get(dealId)!;
    const twice = [...ids, ...ids.slice(0, 3)].map((id) => ({ id, type: 'deal_to_line_item' }));
    crm.deals.set(dealId, { ...deal, associations: { ...(deal.associations as object), 'line items': { results: twice } } });
    const records = await fetchDeal();
    if ('violation' in records) throw new Error(records.detail);
    expect(records.lineItems.map((item) => item.id)).toEqual(ids);
    expect(wonDeal(normaliseHubspotDeal(records)).terms.lines.map((line) => line.lineId)).toEqual(ids.map((_, index) => `X${index + 1}`));
    expect(crm.requests.filter(({ method }) => method === 'POST')).toHaveLength(3);
  });

  it('is read completely from Salesforce, page by page', async () => {
    crm = await startCrmServer({ pageSize: 3 });
    const fetched = await fetchOpportunity();
    expect(fetched).toMatchObject({ OpportunityLineItems: { totalSize: 7, done: true } });
    expect(wonDeal(normaliseOpportunity(fetched as never)).terms.lines).toHaveLength(7);
    expect(crm.requests.map(({ path }) => path.replace(/\?.*/, ''))).toEqual([
      '/services/data/v62.0/query',
      `/services/data/v62.0/query/${opportunityId}-3`,
      `/services/data/v62.0/query/${opportunityId}-6`,
    ]);
  });

  it('has no company and no lines where the CRM has none', async () => {
    crm = await startCrmServer();
    const deal = crm.deals.get(dealId)!;
    crm.deals.set(dealId, { ...deal, associations: undefined });
    expect(await fetchDeal()).toMatchObject({ company: null, lineItems: [] });
    crm.opportunities.set(opportunityId, { ...crm.opportunities.get(opportunityId)!, OpportunityLineItems: null });
    expect(await fetchOpportunity()).toMatchObject({ OpportunityLineItems: null });
  });
});
