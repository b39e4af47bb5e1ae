import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { type HubspotRequest, signHubspotRequest, verifyHubspotSignature } from '../../integrations/hubspot/signature';
import { isWebhookSecret, signStandardWebhook, verifyStandardWebhook } from '../../integrations/standard-webhooks';
import { verifyOutboundMessage } from '../../integrations/salesforce/outbound-message';

const now = new Date('2026-01-23T14:05:30.000Z');
const minutes = (count: number) => new Date(now.getTime() + count * 60_000);
const secret = `whsec_${Buffer.from('0123456789abcdef01234567').toString('base64')}`;
const oldSecret = `whsec_${Buffer.from('fedcba987654321076543210').toString('base64')}`;

describe('a Standard Webhooks signature', () => {
  const body = '{"amount":"10.50","name":"Bücher"}';
  const sign = (at = now, key = secret) => signStandardWebhook(body, key, 'msg_1', at);

  it('holds for the body as it was sent, and names the message', () => {
    expect(verifyStandardWebhook(Buffer.from(body), sign(), [secret], now)).toEqual({
      messageId: 'msg_1',
      sentAt: '2026-01-23T14:05:30.000Z',
    });
  });

  it('agrees with the published definition', () => {
    const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
    const expected = createHmac('sha256', key)
      .update(`msg_1.${now.getTime() / 1000}.${body}`)
      .digest('base64');
    expect(sign()['webhook-signature']).toBe(`v1,${expected}`);
  });

  it('holds for any of our secrets and any of the signatures while secrets rotate', () => {
    expect(verifyStandardWebhook(Buffer.from(body), sign(now, oldSecret), [secret, oldSecret], now)).toHaveProperty('messageId');
    const both = { ...sign(), 'webhook-signature': `v2,xyz ${sign(now, oldSecret)['webhook-signature']} ${sign()['webhook-signature']}` };
    expect(verifyStandardWebhook(Buffer.from(body), both, [secret], now)).toHaveProperty('messageId');
  });

  it.each([
    ['an altered body', Buffer.from(body.replace('10.50', '90.50')), sign()],
    ['a body that is not UTF-8', Buffer.concat([Buffer.from(body), Buffer.from([0xff])]), sign()],
    ['another message id', Buffer.from(body), { ...sign(), 'webhook-id': 'msg_2' }],
    ['another time', Buffer.from(body), { ...sign(), 'webhook-timestamp': '1769177131' }],
    ['a secret of somebody else', Buffer.from(body), sign(now, oldSecret)],
    ['no headers', Buffer.from(body), {}],
    ['headers that occur twice', Buffer.from(body), { ...sign(), 'webhook-signature': [sign()['webhook-signature']] }],
    ['a time that is no number', Buffer.from(body), { ...sign(), 'webhook-timestamp': '12e3' }],
    [
      'a signature of another version',
      Buffer.from(body),
      { ...sign(), 'webhook-signature': sign()['webhook-signature'].replace('v1', 'v1a') },
    ],
  ])('does not hold for %s', (_, raw, headers) => {
    expect(verifyStandardWebhook(raw, headers, [secret], now)).toMatchObject({ violation: 'SignatureInvalid' });
  });

  it('is stale beyond five minutes, either way', () => {
    expect(verifyStandardWebhook(Buffer.from(body), sign(minutes(-5)), [secret], now)).toHaveProperty('messageId');
    expect(verifyStandardWebhook(Buffer.from(body), sign(minutes(-5.1)), [secret], now)).toMatchObject({ violation: 'SignatureStale' });
    expect(verifyStandardWebhook(Buffer.from(body), sign(minutes(5.1)), [secret], now)).toMatchObject({ violation: 'SignatureStale' });
  });

  it('takes any headers without throwing', () => {
    fc.assert(
      fc.property(
        fc.record({ 'webhook-id': fc.string(), 'webhook-timestamp': fc.string(), 'webhook-signature': fc.string() }),
        (headers) => {
          expect(verifyStandardWebhook(Buffer.from(body), headers, [secret], now)).toHaveProperty('violation');
        },
      ),
    );
  });

  it('needs a secret of base64 with 16 bytes or more', () => {
    expect([secret, secret.slice(6), 'whsec_', 'whsec_c2hvcnQ=', 'not a secret'].map(isWebhookSecret)).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
  });
});

describe('a HubSpot signature v3', () => {
  const request = (change: Partial<HubspotRequest> = {}): HubspotRequest => {
    const plain = {
      method: 'POST',
      url: 'https://hooks.example/v1/webhooks/hubspot?tenant=a%2Fb%20c',
      rawBody: Buffer.from('[{"eventId":1}]'),
      timestamp: String(now.getTime()),
    };
    return { ...plain, signature: signHubspotRequest(plain, 'client-secret'), ...change };
  };

  it('is made over method, URI with HubSpot’s escapes decoded and no others, raw body and timestamp', () => {
    const source = `POSThttps://hooks.example/v1/webhooks/hubspot?tenant=a/b%20c[{"eventId":1}]${now.getTime()}`;
    expect(request().signature).toBe(createHmac('sha256', 'client-secret').update(source, 'utf8').digest('base64'));
    const escapes = '%3a%2F%3F%40%21%24%27%28%29%2A%2C%3B';
    const encoded = signHubspotRequest({ ...request(), url: `https://hooks.example/?q=${escapes}%25%26` }, 'client-secret');
    expect(encoded).toBe(signHubspotRequest({ ...request(), url: "https://hooks.example/?q=:/?@!$'()*,;%25%26" }, 'client-secret'));
  });

  it('holds within five minutes, for any secret while they rotate', () => {
    expect(verifyHubspotSignature(request(), ['client-secret'], now)).toBeNull();
    expect(verifyHubspotSignature(request(), ['new-secret', 'client-secret'], minutes(4.9))).toBeNull();
    expect(verifyHubspotSignature(request(), ['client-secret'], minutes(5.1))).toMatchObject({ violation: 'SignatureStale' });
  });

  it.each([
    ['another body', { rawBody: Buffer.from('[]') }],
    ['another address', { url: 'https://hooks.example/v1/webhooks/other' }],
    ['another method', { method: 'PUT' }],
    ['another time', { timestamp: String(now.getTime() + 1) }],
    ['no signature', { signature: '' }],
    ['a time that is no number', { timestamp: 'soon' }],
  ])('does not hold for %s', (_, change) => {
    expect(verifyHubspotSignature(request(change), ['client-secret'], now)).toMatchObject({ violation: 'SignatureInvalid' });
  });
});

describe('a Salesforce outbound message', () => {
  const expected = { organizationId: '00D24000000xxxx', tokens: ['new-token', 'old-token'] };

  it('is ours when the token of the endpoint and the organization fit', () => {
    expect(verifyOutboundMessage({ organizationId: '00D24000000xxxx', token: 'old-token' }, expected)).toBeNull();
    expect(verifyOutboundMessage({ organizationId: '00D24000000xxxx', token: 'wrong' }, expected)).toMatchObject({
      violation: 'SignatureInvalid',
    });
    expect(verifyOutboundMessage({ organizationId: '00D24000000xxxx', token: '' }, { ...expected, tokens: [''] })).toMatchObject({
      violation: 'SignatureInvalid',
    });
    expect(verifyOutboundMessage({ organizationId: '00D24000000yyyy', token: 'new-token' }, expected)).toMatchObject({
      violation: 'SignatureInvalid',
    });
  });
});
