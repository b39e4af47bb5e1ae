import fc from 'fast-check';
import { fieldErrorSchema } from '../../contracts/problems';
import { dealStageReportedSchema, parseDealClosed } from '../../contracts/deal-closed';
import { readDealEvent } from '../../integrations/cloudevents';
import { type HubspotRecords } from '../../integrations/hubspot/client';
import { normaliseHubspotDeal } from '../../integrations/hubspot/normalise';
import { normaliseOpportunity } from '../../integrations/salesforce/normalise';
import { type SalesforceOpportunity } from '../../integrations/salesforce/shapes';
import { errorsOf, type Json, referenceJson, wonDeal } from './reference-deal';

type Line = Json & { milestones?: Json[] };
type Event = Json & { data: Json & { lines: Line[]; customer: Json; statementOfWork: Json; otherIds: Json } };
type Product = { properties: Record<string, string | null> };

const event = () => referenceJson('deal-closed.cloudevents.json') as Event;
const hubspot = () =>
  ({
    deal: referenceJson('hubspot-deal.json'),
    company: referenceJson('hubspot-company.json'),
    lineItems: referenceJson('hubspot-line-items.json').results,
  }) as unknown as { deal: Product; company: Product; lineItems: Product[] };
const opportunity = () =>
  referenceJson('salesforce-opportunity.json') as Json & { Account: Json; OpportunityLineItems: { records: Json[] } };

const fromHubspot = (records: unknown) => normaliseHubspotDeal(records as HubspotRecords);
const fromSalesforce = (record: unknown) => normaliseOpportunity(record as SalesforceOpportunity);

/** An event whose data was changed in place. */
function changed(change: (data: Event['data']) => void): Event {
  const body = event();
  change(body.data);
  return body;
}

describe('one deal in three shapes', () => {
  it('gives the same terms whichever CRM tells of it', () => {
    const terms = wonDeal(readDealEvent(event())).terms;
    expect(wonDeal(fromHubspot(hubspot())).terms).toEqual(terms);
    expect(wonDeal(fromSalesforce(opportunity())).terms).toEqual(terms);
  });

  it('reads the terms of every engagement model exactly', () => {
    const { terms, ...deal } = wonDeal(readDealEvent(event()));
    expect(deal).toMatchObject({ closedAt: '2026-01-23T14:05:20.000Z', sellerId: 'U-SELLER', deliveryLeadId: 'U-DELDIR' });
    expect(terms).toMatchObject({
      customerId: 'CUS-TSR',
      paymentTermsDays: 30,
      lateInterestPercentPerYear: '8',
      deemedAcceptanceBusinessDays: null,
    });
    expect(terms.lines.map((line) => line.lineId)).toEqual(['L1', 'L2', 'L3', 'L4', 'L5', 'L6', 'L7']);
    expect(terms.lines[0]).toMatchObject({ fixedFee: { minor: 24_000_000, currency: 'USD' }, feeDiscountPercent: null });
    expect(terms.lines[1]).toMatchObject({
      notToExceed: { minor: 190_000_000, currency: 'USD' },
      capSoftPercent: '80',
      feeDiscountPercent: '2.5',
    });
    expect(terms.lines[4]).toMatchObject({
      includedTicketsPerMonth: 200,
      overagePerTicket: { minor: 4500, currency: 'EUR' },
      minimumCommitment: { period: 'contract-quarter', amount: { minor: 5_550_000, currency: 'EUR' } },
    });
    expect(terms.lines[5]).toMatchObject({
      includedHoursPerMonth: '20',
      rollover: { maxHours: '10', months: 1 },
      availability: 'on-issue',
    });
    expect(terms.lines[6]).toMatchObject({ notToExceed: { minor: 90_000_000, currency: 'JPY' } });
  });

  it('names the deal in its own system first, then in the others, then by its contract', () => {
    const contract = { source: 'contract', externalId: 'CT-TSR-2026-001' };
    const inHubspot = { source: 'hubspot', externalId: '31870459226' };
    const inSalesforce = { source: 'salesforce', externalId: '006Hs00001vWq2KIAS' };
    expect(wonDeal(readDealEvent(event())).aliases).toEqual([inHubspot, inSalesforce, contract]);
    expect(wonDeal(fromHubspot(hubspot())).aliases).toEqual([inHubspot, contract]);
    expect(wonDeal(fromSalesforce(opportunity())).aliases).toEqual([inSalesforce, contract]);
  });

  it('takes the short and the long form of a Salesforce id for one name', () => {
    const short = changed((data) => (data.otherIds.salesforceOpportunityId = '006Hs00001vWq2K'));
    expect(wonDeal(readDealEvent(short)).aliases).toContainEqual({ source: 'salesforce', externalId: '006Hs00001vWq2KIAS' });
  });

  it('gives what the canonical contract accepts, as it is', () => {
    for (const report of [readDealEvent(event()), fromHubspot(hubspot()), fromSalesforce(opportunity())]) {
      expect(parseDealClosed(JSON.parse(JSON.stringify(wonDeal(report))))).toEqual(report);
    }
  });

  it('does not depend on the order of the lines', () => {
    const terms = wonDeal(readDealEvent(event())).terms;
    fc.assert(
      fc.property(fc.shuffledSubarray([0, 1, 2, 3, 4, 5, 6], { minLength: 7 }), (order) => {
        const shuffled = changed((data) => (data.lines = order.map((index) => data.lines[index]!)));
        expect(wonDeal(readDealEvent(shuffled)).terms).toEqual(terms);
      }),
      { numRuns: 20 },
    );
    const tenth = changed((data) => (data.lines[1]!.id = 'L10'));
    expect(wonDeal(readDealEvent(tenth)).terms.lines.map((line) => line.lineId)).toEqual(['L1', 'L3', 'L4', 'L5', 'L6', 'L7', 'L10']);
  });

  it('lets a customer that nobody knows yet and a statement of work that is missing be completed later', () => {
    const bare = changed((data) => {
      delete (data as Json).customer;
      delete (data as Json).statementOfWork;
    });
    expect(wonDeal(readDealEvent(bare)).terms).toMatchObject({ customerId: null, statementOfWork: null });
    expect(wonDeal(fromHubspot({ ...hubspot(), company: null })).terms.customerId).toBeNull();
    expect(wonDeal(fromSalesforce({ ...opportunity(), Account: null })).terms.customerId).toBeNull();
  });
});

describe('a deal that cannot be taken', () => {
  it('names every wrong field at once, with its place in the body that was sent', () => {
    const wrong = changed((data) => {
      data.paymentTermsDays = -1;
      data.signedDate = '2026-02-30';
      data.closedAt = 'yesterday';
      data.lines[0]!.fixedFee = '240000.005';
      data.lines[1]!.currency = 'XXX';
      data.lines[2]!.engagementModel = 'body-leasing';
      data.lines[4]!.overagePerTicket = '-45.00';
      delete data.lines[5]!.billTo;
      data.lines[6]!.endDate = '2026-01-01';
      data.statementOfWork.sha256 = 'abc';
    });
    expect(errorsOf(readDealEvent(wrong))).toEqual([
      '/data/closedAt NotAnInstant',
      '/data/lines/0/fixedFee MoneyTooPrecise',
      '/data/lines/1/currency CurrencyUnknown',
      '/data/lines/2/engagementModel UnknownEngagementModel',
      '/data/lines/4/overagePerTicket Negative',
      '/data/lines/5/billTo Required',
      '/data/lines/6/endDate EndBeforeStart',
      '/data/paymentTermsDays NotAnInteger',
      '/data/signedDate NotADate',
      '/data/statementOfWork/sha256 NotASha256',
    ]);
  });

  it.each([
    ['no milestones for a fixed fee', (line: Line) => delete line.milestones, 0, '/data/lines/0/milestones TermsMissing'],
    [
      'milestones that are not the whole fee',
      (line: Line) => (line.milestones![0]!.percent = '29'),
      0,
      '/data/lines/0/milestones PercentNotWhole',
    ],
    ['a milestone twice', (line: Line) => (line.milestones![1]!.id = 'L1-M1'), 0, '/data/lines/0/milestones/1/id MilestoneRepeated'],
    ['no monthly fee for a retainer', (line: Line) => delete line.monthlyFee, 5, '/data/lines/5/monthlyFee Required'],
    ['no hours for a retainer', (line: Line) => delete line.includedHoursPerMonth, 5, '/data/lines/5/includedHoursPerMonth Required'],
    [
      'no tickets for a managed service',
      (line: Line) => (line.includedTicketsPerMonth = null),
      4,
      '/data/lines/4/includedTicketsPerMonth Required',
    ],
    [
      'a commitment over an unknown period',
      (line: Line) => ((line.minimumCommitment as Json).period = 'year'),
      4,
      '/data/lines/4/minimumCommitment/period UnknownPeriod',
    ],
    ['a percent above 100', (line: Line) => (line.feeDiscountPercent = '100.1'), 1, '/data/lines/1/feeDiscountPercent TooLarge'],
    ['a fee as a float with an exponent', (line: Line) => (line.fixedFee = 1e21), 0, '/data/lines/0/fixedFee MoneyMalformed'],
    ['a fee that a float cannot hold', (line: Line) => (line.fixedFee = 90071992547409.93), 0, '/data/lines/0/fixedFee MoneyMalformed'],
    ['a line id twice', (line: Line) => (line.id = 'L1'), 1, '/data/lines/1/id LineRepeated'],
    ['a line id that is no identifier', (line: Line) => (line.id = '../L1'), 0, '/data/lines/0/id NotAnIdentifier'],
    ['a name that no database can store', (line: Line) => (line.name = 'Disc\u0000overy'), 0, '/data/lines/0/name NotText'],
    ['a flag that is neither', (line: Line) => (line.expensesBillable = 'perhaps'), 0, '/data/lines/0/expensesBillable NotABoolean'],
  ])('refuses %s', (_, break_, index, expected) => {
    expect(errorsOf(readDealEvent(changed((data) => void break_(data.lines[index]!))))).toEqual([expected]);
  });

  it('refuses a deal without lines, and lines that are no list', () => {
    expect(errorsOf(readDealEvent(changed((data) => (data.lines = []))))).toEqual(['/data/lines TermsMissing']);
    expect(errorsOf(readDealEvent(changed((data) => delete (data as Json).lines)))).toEqual(['/data/lines Required']);
    expect(errorsOf(readDealEvent(changed((data) => ((data as Json).lines = 'L1'))))).toEqual(['/data/lines NotAList']);
  });

  it('points into the records of HubSpot, and says where inside its JSON texts', () => {
    const records = hubspot();
    records.deal.properties.payment_terms_days = 'thirty';
    records.lineItems[0]!.properties.milestones_json = '[{"id": "L1-M1", "name": "All", "percent": "abc", "plannedDate": "2026-03-06"}]';
    records.lineItems[1]!.properties.engagement_model = null;
    records.lineItems[4]!.properties.sla_credits_json = '{"measure":';
    records.lineItems[5]!.properties.quantity = '2';
    const report = fromHubspot(records);
    expect(errorsOf(report)).toEqual([
      '/deal/properties/payment_terms_days NotAnInteger',
      '/lineItems/0/properties/milestones_json NotADecimal',
      '/lineItems/0/properties/milestones_json PercentNotWhole',
      '/lineItems/1/properties/engagement_model Required',
      '/lineItems/4/properties/sla_credits_json NotJson',
      '/lineItems/5/properties/quantity QuantityNotOne',
    ]);
    expect(report).toMatchObject({
      errors: expect.arrayContaining([
        expect.objectContaining({ message: '#/0/percent: must be an exact decimal in plain notation' }),
      ]) as unknown,
    });
  });

  it('points into the opportunity of Salesforce', () => {
    const record = opportunity();
    record.Payment_Terms_Days__c = 30.5;
    record.OpportunityLineItems.records[0]!.UnitPrice = 240000.001;
    record.OpportunityLineItems.records[5]!.Terms_JSON__c = '{}';
    expect(errorsOf(fromSalesforce(record))).toEqual([
      '/OpportunityLineItems/records/0/TotalPrice TotalNotPrice',
      '/OpportunityLineItems/records/0/UnitPrice MoneyTooPrecise',
      '/OpportunityLineItems/records/5/Terms_JSON__c Required',
      '/OpportunityLineItems/records/5/Terms_JSON__c Required',
      '/OpportunityLineItems/records/5/Terms_JSON__c Required',
      '/Payment_Terms_Days__c NotAnInteger',
    ]);
  });

  it('refuses a canonical deal that was tampered with, naming each field', () => {
    const deal = wonDeal(readDealEvent(event()));
    const [first, ...rest] = deal.terms.lines;
    const tampered = {
      ...deal,
      terms: {
        ...deal.terms,
        paymentTermsDays: 1.5,
        extra: true,
        lines: [{ ...first, fixedFee: { minor: 0.5, currency: 'USD' } }, ...rest],
      },
    };
    expect(errorsOf(parseDealClosed(tampered))).toEqual([
      '/terms/extra UnknownField',
      '/terms/lines/0/fixedFee/minor WrongType',
      '/terms/paymentTermsDays WrongType',
    ]);
    expect(errorsOf(parseDealClosed({}))).toContain('/aliases Required');
  });
});

describe('the envelope of an event', () => {
  it('ignores types that nobody here reads', () => {
    expect(readDealEvent({ ...event(), type: 'example.crm.deal.renamed.v1' })).toEqual({
      kind: 'ignored',
      reason: 'unknown event type example.crm.deal.renamed.v1',
    });
    expect(readDealEvent({ ...event(), type: 'example.notdeal.closed.v1' }).kind).toBe('ignored');
    expect(readDealEvent({ ...event(), type: 'deal.closed.v1' }).kind).toBe('closed-won');
  });

  it.each([
    [null, [' WrongType']],
    [[], [' WrongType']],
    [{}, ['/id Required', '/source Required', '/specversion UnknownValue', '/type Required']],
    [
      { ...event(), specversion: '0.3', time: 'now', datacontenttype: 'text/xml' },
      ['/datacontenttype WrongFormat', '/specversion UnknownValue', '/time Invalid'],
    ],
    [{ ...event(), data: null }, ['/data Required']],
    [{ ...event(), id: '', data: { ...event().data, name: 7 } }, ['/data/name NotText', '/id TooSmall']],
    [{ ...event(), data: [] }, ['/data WrongType']],
  ])('refuses a broken envelope (%#)', (body, expected) => {
    expect(errorsOf(readDealEvent(body))).toEqual(expected);
  });

  it('takes any JSON without throwing, and answers errors of the one shape', () => {
    fc.assert(
      fc.property(
        fc.jsonValue({ maxDepth: 4 }),
        fc.constantFrom('data', 'lines', 'customer', 'otherIds', 'statementOfWork', 'dealId'),
        (value, key) => {
          const body = changed((data) => ((data as Json)[key] = value));
          const report = readDealEvent(key === 'data' ? { ...event(), data: value } : body);
          if (report.kind === 'invalid') report.errors.forEach((error) => fieldErrorSchema.parse(error));
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('another stage than won', () => {
  it('is reported with the names of the deal, from each system', () => {
    const lost = changed((data) => {
      data.status = 'closed-lost';
      delete (data as Json).contractId;
      data.lines = [];
    });
    const reports = [
      readDealEvent(lost),
      fromHubspot({
        ...hubspot(),
        deal: { ...referenceJson('hubspot-deal.json'), properties: { ...hubspot().deal.properties, dealstage: 'closedlost' } },
      }),
      fromSalesforce({ ...opportunity(), IsWon: false, StageName: 'Closed Lost' }),
    ];
    for (const report of reports) {
      if (report.kind !== 'stage-reported') throw new Error(report.kind);
      expect(dealStageReportedSchema.parse(report.report).stage).toBe('lost');
    }
    expect(reports[0]).toMatchObject({
      report: { occurredAt: '2026-01-23T14:05:20.000Z', aliases: [{ source: 'hubspot' }, { source: 'salesforce' }] },
    });
  });

  it('is open where a deal was taken back from won, custom pipelines included', () => {
    const records = hubspot();
    Object.assign(records.deal.properties, { dealstage: '129481', hs_is_closed_won: 'false' });
    expect(fromHubspot(records)).toMatchObject({ kind: 'stage-reported', report: { stage: 'open' } });
    records.deal.properties.hs_is_closed_won = 'true';
    expect(fromHubspot(records).kind).toBe('closed-won');
    expect(fromSalesforce({ ...opportunity(), IsWon: false, IsClosed: false })).toMatchObject({
      kind: 'stage-reported',
      report: { stage: 'open' },
    });
    expect(readDealEvent(changed((data) => (data.status = 'signed'))).kind).toBe('invalid');
  });
});
