import { problemOf, secrets, type Answer, testApi, type TestApi } from '../support/api';
import {
  cloudEvent,
  outboundMessage,
  postChangeEvent,
  postCloudEvent,
  postHubspot,
  postOutbound,
  referenceText,
} from '../support/crm-events';

interface Told {
  readonly events: { inboxEventId: string; eventId: string; state: string; errors: { violation: string; detail: string }[] }[];
}

describe('webhooks', () => {
  let api: TestApi;
  beforeAll(async () => {
    api = await testApi({ firm: false });
  });
  afterAll(() => api.close());
  beforeEach(async () => {
    await api.db.deleteFrom('inbox_event').execute();
  });

  const rows = () => api.db.selectFrom('inbox_event').selectAll().orderBy('id').execute();
  const told = (answer: Answer) => answer.body as Told;
  const hubspotBatch = referenceText('hubspot-webhook.json');
  const change = referenceText('salesforce-opportunity-cdc.json');

  describe('a CloudEvent', () => {
    test('goes into the inbox, and again gives the same answer', async () => {
      const first = await postCloudEvent(api.anyone, cloudEvent());
      expect(first.status).toBe(202);
      expect(told(first).events).toMatchObject([{ eventId: 'evt-7f3c1d52-0b6e-4c2a-9d61-1f0e7a4c8b90', state: 'received', errors: [] }]);
      const second = await postCloudEvent(api.anyone, cloudEvent(), { messageId: 'msg-again' });
      expect(second).toMatchObject({ status: 202, body: first.body });
      expect(await rows()).toMatchObject([
        {
          source: 'cloudevents:https://crm.aldermoss.example/deals',
          subject: 'deal/hubspot/31870459226',
          state: 'received',
          occurred_at: '2026-01-23T14:05:22.000Z',
        },
      ]);
    });

    test('with the id of another event is refused, and the first stays', async () => {
      await postCloudEvent(api.anyone, cloudEvent());
      const other = cloudEvent((event) => {
        event.data.name = 'Another deal';
      });
      expect(problemOf(await postCloudEvent(api.anyone, other))).toMatchObject({ status: 409, code: 'EventIdReused' });
      expect(await rows()).toHaveLength(1);
    });

    test('of an invalid deal is kept and answered with every wrong field, also the second time', async () => {
      const invalid = cloudEvent((event) => {
        event.data.signedDate = '22 January';
        event.data.lines[0]!.currency = 'XXQ';
        delete event.data.contractId;
      });
      const first = await postCloudEvent(api.anyone, invalid);
      const problem = problemOf(first);
      expect(problem).toMatchObject({ status: 422, code: 'DealInvalid' });
      expect(problem.errors?.map((error) => error.pointer)).toEqual(
        expect.arrayContaining(['/data/signedDate', '/data/lines/0/currency', '/data/contractId']),
      );
      const [row] = await rows();
      expect(row).toMatchObject({ id: problem.inboxEventId, state: 'invalid' });
      const again = problemOf(await postCloudEvent(api.anyone, invalid));
      expect({ ...again, requestId: '' }).toEqual({ ...problem, requestId: '' });
    });

    test('of an unknown type is kept as ignored', async () => {
      const answer = await postCloudEvent(
        api.anyone,
        cloudEvent((event) => Object.assign(event, { type: 'com.example.contact.created.v1' })),
      );
      expect(answer.status).toBe(202);
      expect(told(answer).events[0]).toMatchObject({ state: 'ignored', errors: [{ violation: 'EventIgnored' }] });
      expect(await rows()).toMatchObject([{ state: 'ignored' }]);
    });

    test('that is none is kept as invalid under its bytes', async () => {
      const answer = await postCloudEvent(api.anyone, '{"hello":1}');
      expect(problemOf(answer)).toMatchObject({ status: 422, code: 'EventInvalid' });
      await postCloudEvent(api.anyone, '{"hello":1}');
      expect(await rows()).toMatchObject([{ state: 'invalid', type: 'unreadable' }]);
    });

    const late = () => new Date(Date.now() - 6 * 60_000);
    test.each([
      ['another secret', () => postCloudEvent(api.anyone, cloudEvent(), { secret: secrets.relay }), 'SignatureInvalid'],
      ['a signature that is 6 minutes old', () => postCloudEvent(api.anyone, cloudEvent(), { at: late() }), 'SignatureStale'],
      ['no signature', () => api.anyone('POST', '/webhooks/cloudevents', { raw: cloudEvent() }), 'SignatureInvalid'],
      ['a body that is not JSON and not signed', () => api.anyone('POST', '/webhooks/cloudevents', { raw: '{' }), 'SignatureInvalid'],
      ['a HubSpot signature of another secret', () => postHubspot(api.anyone, hubspotBatch, { secret: 'x' }), 'SignatureInvalid'],
      ['a HubSpot signature that is old', () => postHubspot(api.anyone, hubspotBatch, { at: Date.now() - 6 * 60_000 }), 'SignatureStale'],
      [
        'a HubSpot signature of another address',
        () => postHubspot(api.anyone, hubspotBatch, { url: 'https://evil.example/webhooks/hubspot' }),
        'SignatureInvalid',
      ],
      ['a change event of another secret', () => postChangeEvent(api.anyone, change, { secret: secrets.crm }), 'SignatureInvalid'],
      ['a change event that is old', () => postChangeEvent(api.anyone, change, { at: late() }), 'SignatureStale'],
      ['an outbound message with another token', () => postOutbound(api.anyone, outboundMessage(), 'wrong'), 'SignatureInvalid'],
      [
        'an outbound message of another organization',
        () => postOutbound(api.anyone, outboundMessage({ organizationId: '00DXX0000099999AAA' })),
        'SignatureInvalid',
      ],
      ['an outbound message that is no XML, with another token', () => postOutbound(api.anyone, 'x', 'wrong'), 'SignatureInvalid'],
    ])('with %s is 401 and stores nothing', async (_what, post, code) => {
      expect(problemOf(await post())).toMatchObject({ status: 401, code });
      expect(await rows()).toEqual([]);
    });

    test('that is signed but not JSON, too deep, or too large, is refused', async () => {
      expect(problemOf(await postCloudEvent(api.anyone, '{'))).toMatchObject({ status: 400, code: 'JsonMalformed' });
      expect(problemOf(await postCloudEvent(api.anyone, `{"a":${'['.repeat(40)}${']'.repeat(40)}}`))).toMatchObject({
        status: 400,
        code: 'JsonTooDeep',
      });
      expect(problemOf(await postCloudEvent(api.anyone, JSON.stringify('x'.repeat(1024 * 1024))))).toMatchObject({
        status: 413,
        code: 'BodyTooLarge',
      });
      expect(await rows()).toEqual([]);
    });
  });

  describe('a batch of HubSpot', () => {
    test('with a moment that cannot be stored keeps that event as invalid, and the others', async () => {
      const [first] = JSON.parse(hubspotBatch) as { occurredAt: number }[];
      const batch = JSON.stringify([{ ...first, occurredAt: 8.64e15 }, first]);
      expect((await postHubspot(api.anyone, batch)).status).toBeLessThan(300);
      expect((await rows()).map(({ state }) => state).sort()).toEqual(['ignored', 'invalid']);
    });

    test('is stored event by event; only a change of stage is wanted', async () => {
      const answer = await postHubspot(api.anyone, hubspotBatch);
      expect(answer.status).toBe(202);
      expect(told(answer).events.map((event) => event.state)).toEqual(['ignored', 'received', 'ignored']);
      expect(await rows()).toMatchObject([{ source: 'hubspot' }, { subject: '31870459226', source_order: '1769177122000' }, {}]);
    });

    test('that HubSpot tries again gives the same answer', async () => {
      const first = await postHubspot(api.anyone, hubspotBatch);
      const again = hubspotBatch.replaceAll('"attemptNumber": 0', '"attemptNumber": 1');
      expect(again).not.toBe(hubspotBatch);
      expect(await postHubspot(api.anyone, again)).toMatchObject({ status: 202, body: first.body });
      expect(await rows()).toHaveLength(3);
    });

    test('keeps what it cannot read beside what it can', async () => {
      const batch = [...(JSON.parse(hubspotBatch) as object[]), { eventId: 'x' }];
      const answer = await postHubspot(api.anyone, JSON.stringify(batch));
      expect(answer.status).toBe(202);
      expect(told(answer).events.map((event) => event.state)).toEqual(['ignored', 'received', 'ignored', 'invalid']);
      expect(problemOf(await postHubspot(api.anyone, '{"no":"list"}'))).toMatchObject({
        status: 422,
        code: 'EventInvalid',
        errors: [{ code: 'NotAList' }],
      });
    });
  });

  describe('Salesforce', () => {
    test('a relayed change event goes into the inbox, once', async () => {
      const first = await postChangeEvent(api.anyone, change);
      expect(told(first).events).toMatchObject([{ state: 'received' }]);
      expect(await postChangeEvent(api.anyone, change)).toMatchObject({ status: 202, body: first.body });
      expect(await rows()).toMatchObject([{ source: 'salesforce', subject: '006Hs00001vWq2KIAS', source_order: '1741920386271' }]);
    });

    test('an outbound message is acknowledged in SOAP, once and again', async () => {
      for (const answer of [await postOutbound(api.anyone, outboundMessage()), await postOutbound(api.anyone, outboundMessage())]) {
        expect(answer.status).toBe(200);
        expect(answer.headers['content-type']).toContain('text/xml');
        expect(answer.text).toContain('<Ack>true</Ack>');
      }
      expect(await rows()).toMatchObject([{ source: 'salesforce-outbound', state: 'received', subject: '006Hs00001vWq2KIAS' }]);
    });

    test('an outbound message about another object is kept as ignored', async () => {
      expect((await postOutbound(api.anyone, outboundMessage({ entity: 'Account' }))).status).toBe(200);
      expect(await rows()).toMatchObject([{ state: 'ignored' }]);
    });

    test('an outbound message with entities, or that is none, is refused', async () => {
      const unsafe = outboundMessage().replace('?>', '?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]>');
      expect(problemOf(await postOutbound(api.anyone, unsafe))).toMatchObject({ status: 422, errors: [{ code: 'XmlUnsafe' }] });
      expect(problemOf(await postOutbound(api.anyone, '<a/>'))).toMatchObject({ status: 422, errors: [{ code: 'SoapUnexpected' }] });
    });

    test('the token of the address is in no log line', async () => {
      await postOutbound(api.anyone, outboundMessage());
      expect(api.logged.join('')).not.toContain(secrets.outboundToken);
    });
  });

  test('twenty senders at once are all answered and kept', async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_each, index) =>
        postCloudEvent(
          api.anyone,
          cloudEvent((event) => Object.assign(event, { id: `e-${index}` })),
        ),
      ),
    );
    expect(answers.map((answer) => answer.status)).toEqual(answers.map(() => 202));
    expect(await rows()).toHaveLength(20);
  });

  test('without a configured secret the sender is asked to come again', async () => {
    const bare = await testApi({
      firm: false,
      environment: { CRM_WEBHOOK_SECRET: '', HUBSPOT_CLIENT_SECRET: '', SALESFORCE_OUTBOUND_TOKEN: '', SALESFORCE_RELAY_SECRET: '' },
    });
    for (const post of [
      postCloudEvent(bare.anyone, cloudEvent()),
      postHubspot(bare.anyone, hubspotBatch),
      postChangeEvent(bare.anyone, change),
      postOutbound(bare.anyone, outboundMessage()),
    ]) {
      expect(problemOf(await post)).toMatchObject({ status: 503, code: 'WebhookNotConfigured', retryable: true });
    }
    await bare.close();
  });
});
