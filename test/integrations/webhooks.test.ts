import fc from 'fast-check';
import { readHubspotWebhook } from '../../integrations/hubspot/webhook';
import { readChangeEvent } from '../../integrations/salesforce/change-event';
import { outboundAcknowledgement, outboundEvents, parseOutboundMessage } from '../../integrations/salesforce/outbound-message';
import { longRecordId } from '../../integrations/salesforce/record-id';
import { parseXml } from '../../integrations/xml';
import { type Json, referenceBytes, referenceJson } from './reference-deal';

const hubspotEvents = () => JSON.parse(referenceBytes('hubspot-webhook.json').toString('utf8')) as Json[];
const changeEvent = () => referenceJson('salesforce-opportunity-cdc.json') as { payload: { ChangeEventHeader: Json } };

function changeEvents(change: Json): readonly unknown[] {
  const body = changeEvent();
  Object.assign(body.payload.ChangeEventHeader, change);
  const read = readChangeEvent(body);
  if (read.kind !== 'events') throw new Error(JSON.stringify(read));
  return read.events;
}

describe('a HubSpot webhook', () => {
  it('gives one event each, of which the change of stage is wanted', () => {
    const { events, errors } = readHubspotWebhook(hubspotEvents());
    expect(errors).toEqual([]);
    expect(events.map((event) => [event.type, event.wanted])).toEqual([
      ['deal.propertyChange/closedate', false],
      ['deal.propertyChange/dealstage', true],
      ['deal.propertyChange/hs_is_closed_won', false],
    ]);
    expect(events[1]).toMatchObject({
      source: 'hubspot',
      externalId: '31870459226',
      order: 1769177122000,
      orderScale: 'milliseconds',
      occurredAt: '2026-01-23T14:05:22.000Z',
      payload: hubspotEvents()[1],
    });
    expect(new Set(events.map((event) => event.eventId)).size).toBe(3);
  });

  it('is the same event when HubSpot tries again', () => {
    const again = hubspotEvents().map((event) => ({ ...event, attemptNumber: 3 }));
    const ids = (body: unknown) => readHubspotWebhook(body).events.map((event) => event.eventId);
    expect(ids(again)).toEqual(ids(hubspotEvents()));
  });

  it('wants a later change of stage, also in HubSpot’s newer form, and keeps unknown types', () => {
    const [, won] = hubspotEvents();
    const { events } = readHubspotWebhook([
      { ...won, propertyValue: 'contractsent' },
      { ...won, subscriptionType: 'object.propertyChange', objectTypeId: '0-3' },
      { ...won, subscriptionType: 'object.propertyChange', objectTypeId: '0-1' },
      { ...won, subscriptionType: 'contact.creation', propertyName: undefined },
    ]);
    expect(events.map((event) => event.wanted)).toEqual([true, true, false, false]);
    expect(events[3]).toMatchObject({ reason: 'unknown event type contact.creation' });
  });

  it('keeps the good events of a batch and names every wrong field of the bad ones', () => {
    const [first, second] = hubspotEvents();
    const { events, errors } = readHubspotWebhook([first, { ...second, objectId: -1, occurredAt: 'now' }, 'x']);
    expect(events).toHaveLength(1);
    expect(errors.map(({ pointer }) => pointer)).toEqual(['/1/objectId', '/1/occurredAt', '/2']);
    expect(readHubspotWebhook({}).errors).toMatchObject([{ pointer: '', code: 'NotAList' }]);
  });

  it('takes any JSON without throwing', () => {
    fc.assert(fc.property(fc.jsonValue(), (body) => void readHubspotWebhook(body)));
    fc.assert(fc.property(fc.jsonValue(), (value) => void readHubspotWebhook([{ ...hubspotEvents()[1], occurredAt: value }])));
  });
});

describe('a Salesforce change event', () => {
  it('gives one wanted event per record, ordered by commit number', () => {
    const [event] = changeEvents({});
    expect(event).toMatchObject({
      source: 'salesforce',
      eventId: '000f2c81-5d7a-9b3e-44c1-0d92ab7e6f15/1/006Hs00001vWq2KIAS',
      externalId: '006Hs00001vWq2KIAS',
      order: 1741920386271,
      orderScale: 'commit-number',
      occurredAt: '2026-01-23T14:05:21.000Z',
      wanted: true,
    });
    expect(changeEvents({ recordIds: ['006Hs00001vWq2KIAS', '006Hs00001vWq2LIAS'] })).toHaveLength(2);
    const merged = changeEvents({ recordIds: ['006Hs00001vWq2KIAS', '006Hs00001vWq2LIAS'] }) as { payload: { payload: object } }[];
    expect(merged[1]?.payload).toMatchObject({ payload: { ChangeEventHeader: { recordIds: ['006Hs00001vWq2LIAS'] } } });
    expect(Object.keys(merged[1]?.payload.payload ?? {})).toEqual(['ChangeEventHeader']);
  });

  it.each([
    ['another field', { changedFields: ['Probability'] }, false],
    ['another object', { entityName: 'Account' }, false],
    ['a deletion', { changeType: 'DELETE' }, false],
    ['a creation', { changeType: 'CREATE', changedFields: [] }, true],
    ['a gap, which says only that something changed', { changeType: 'GAP_UPDATE', changedFields: [] }, true],
    ['an overflow, which names no record', { changeType: 'GAP_OVERFLOW', changedFields: [], recordIds: ['000000000000000AAA'] }, false],
    ['a wildcard instead of a record', { changeType: 'GAP_UPDATE', recordIds: ['006*'] }, false],
  ])('of %s is wanted or kept with its reason', (_, change, wanted) => {
    expect(changeEvents(change)).toMatchObject([{ wanted, reason: wanted ? null : (expect.any(String) as unknown) }]);
  });

  it('names every wrong field', () => {
    const body = changeEvent();
    Object.assign(body.payload.ChangeEventHeader, { commitNumber: 1.5, changeType: 'MERGE', recordIds: [] });
    const read = readChangeEvent(body);
    if (read.kind !== 'invalid') throw new Error(read.kind);
    const header = '/payload/ChangeEventHeader';
    expect(read.errors.map(({ pointer }) => pointer).sort()).toEqual([
      `${header}/changeType`,
      `${header}/commitNumber`,
      `${header}/recordIds`,
    ]);
    fc.assert(fc.property(fc.jsonValue(), (value) => void readChangeEvent({ payload: { ChangeEventHeader: value } })));
  });
});

const message = (inner: string, organization = '00D240000000001EAA') => `<?xml version="1.0" encoding="UTF-8"?>
<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
 <soapenv:Body>
  <notifications xmlns="http://soap.sforce.com/2005/09/outbound">
   <OrganizationId>${organization}</OrganizationId>
   <ActionId>04k24000000Cb3JAAS</ActionId>
   <SessionId>00D24-secret-session</SessionId>
   <EnterpriseUrl>https://firm.my.salesforce.example/services/Soap/c/62.0</EnterpriseUrl>
   <PartnerUrl>https://firm.my.salesforce.example/services/Soap/u/62.0</PartnerUrl>
   ${inner}
  </notifications>
 </soapenv:Body>
</soapenv:Envelope>`;
const notification = (id: string, fields: string) =>
  `<Notification><Id>${id}</Id><sObject xsi:type="sf:Opportunity" xmlns:sf="urn:sobject.enterprise.soap.sforce.com">${fields}</sObject></Notification>`;
const won = notification(
  '04l24000002nrC5AAI',
  '<sf:Id>006Hs00001vWq2KIAS</sf:Id><sf:StageName>Closed Won</sf:StageName><sf:Name>Müller &amp; S&#246;hne &lt;GmbH&gt;</sf:Name><sf:SystemModstamp>2026-01-23T14:05:21.000Z</sf:SystemModstamp>',
);

describe('a Salesforce outbound message', () => {
  it('gives one event per notification, and leaves the session id unread', () => {
    const parsed = parseOutboundMessage(Buffer.from(message(won + won.replace('04l24000002nrC5', '04l24000002nrC6'))));
    if ('violation' in parsed) throw new Error(parsed.detail);
    expect(parsed.organizationId).toBe('00D240000000001EAA');
    expect(parsed.notifications[0]).toMatchObject({
      entity: 'Opportunity',
      fields: { StageName: 'Closed Won', Name: 'Müller & Söhne <GmbH>' },
    });
    const events = outboundEvents(parsed);
    expect(events).toMatchObject([
      {
        source: 'salesforce',
        eventId: 'outbound/04l24000002nrC5AAI',
        externalId: '006Hs00001vWq2KIAS',
        wanted: true,
        occurredAt: '2026-01-23T14:05:21.000Z',
        order: 1769177121000,
      },
      { eventId: 'outbound/04l24000002nrC6AAI' },
    ]);
    expect(JSON.stringify([parsed, events])).not.toContain('secret-session');
  });

  it.each([
    ['a document type', message(won).replace('?>', '?><!DOCTYPE x [<!ENTITY a "b">]>'), 'XmlUnsafe'],
    ['an undeclared entity', message(won).replace('&amp;', '&boom;'), 'XmlMalformed'],
    ['another envelope', message(won).replaceAll('schemas.xmlsoap.org', 'schemas.example.org'), 'SoapUnexpected'],
    ['another organization format', message(won, '12'), 'SoapUnexpected'],
    ['no notification', message(''), 'SoapUnexpected'],
    ['a notification without its record', message('<Notification><Id>04l24000002nrC5AAI</Id></Notification>'), 'SoapUnexpected'],
    ['more than a hundred notifications', message(won.repeat(101)), 'SoapUnexpected'],
    ['something else', '{"a": 1}', 'XmlMalformed'],
    ['too much', message(won) + ' '.repeat(1024 * 1024), 'XmlTooLarge'],
  ])('is refused with %s', (_, body, violation) => {
    expect(parseOutboundMessage(Buffer.from(body))).toMatchObject({ violation });
  });

  it('is acknowledged in the one form that Salesforce knows', () => {
    const envelope = parseXml(outboundAcknowledgement(true));
    expect(envelope).toMatchObject({
      name: 'Envelope',
      children: [
        {
          name: 'Body',
          children: [
            {
              name: 'notificationsResponse',
              namespace: 'http://soap.sforce.com/2005/09/outbound',
              children: [{ name: 'Ack', text: 'true' }],
            },
          ],
        },
      ],
    });
  });
});

describe('a Salesforce record id', () => {
  it('has one long form, which states its capitals', () => {
    expect(longRecordId('006Hs00001vWq2K')).toBe('006Hs00001vWq2KIAS');
    expect(longRecordId('001Hs00003kQ7Zd')).toBe('001Hs00003kQ7ZdIAK');
    expect(longRecordId('006Hs00001vWq2KIAS')).toBe('006Hs00001vWq2KIAS');
  });
});

describe('XML of a stranger', () => {
  it('is refused with more elements or attributes than any real message has', () => {
    expect(parseXml(`<a>${'<b/>'.repeat(20)}</a>`, { maxNodes: 5 })).toMatchObject({ violation: 'XmlTooLarge' });
    expect(parseXml(`<a ${Array.from({ length: 20 }, (_, index) => `b${index}=""`).join(' ')}/>`, { maxNodes: 5 })).toMatchObject({
      violation: 'XmlTooLarge',
    });
    expect(parseXml(`<a>${'<b/>'.repeat(3)}</a>`, { maxNodes: 5 })).toMatchObject({ name: 'a' });
    expect(parseXml(`<a>${'<b/>'.repeat(250_000)}</a>`)).toMatchObject({ violation: 'XmlTooLarge' });
  });
});
