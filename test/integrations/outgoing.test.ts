import { randomBytes } from 'node:crypto';
import { type LookupAddress } from 'node:dns';
import { post } from '../../integrations/outgoing-post';
import { guardedLookup, isPublic, refuseUrl } from '../../integrations/public-address';
import { newWebhookSecret, seal, unseal } from '../../integrations/sealed-secret';
import { isWebhookSecret } from '../../integrations/standard-webhooks';

describe('where webhooks may go', () => {
  test.each(['1.1.1.1', '93.184.216.34', '2606:4700:4700::1111'])('%s is of the internet', (address) => {
    expect(isPublic(address)).toBe(true);
  });

  test.each([
    ...['127.0.0.1', '10.1.2.3', '172.16.0.1', '172.31.255.255', '192.168.1.1', '169.254.169.254', '100.64.0.1', '0.0.0.0', '224.0.0.1'],
    ...['255.255.255.255', '198.18.0.1', '192.0.2.1', '::1', '::', '::ffff:127.0.0.1', '::ffff:1.1.1.1', 'fe80::1', 'fd00::1', 'ff02::1'],
    ...['64:ff9b::7f00:1', '2002:7f00:1::', '2001:db8::1', '2001::1', 'not an address'],
  ])('%s is not', (address) => {
    expect(isPublic(address)).toBe(false);
  });

  test.each([
    ...['http://example.com/', 'ftp://example.com/', 'https://user:secret@example.com/', 'https://127.0.0.1/', 'https://[::1]/', 'nothing'],
    ...[
      'https://localhost/',
      'https://db/',
      'https://metadata.google.internal/',
      'https://printer.local/',
      'https://2130706433/',
      'https://0x7f.1/',
    ],
  ])('%s is refused', (url) => {
    expect(refuseUrl(url, 'public')).toMatchObject({ violation: 'EndpointAddressRefused' });
  });

  test('an installation may allow its own networks, but nothing else than http', () => {
    expect(refuseUrl('https://hooks.example.com/x?y=1', 'public')).toBeNull();
    expect(refuseUrl('http://127.0.0.1:8080/', 'any')).toBeNull();
    expect(refuseUrl('file:///etc/passwd', 'any')).not.toBeNull();
    expect(refuseUrl('http://a:b@127.0.0.1/', 'any')).not.toBeNull();
  });

  test('a name that resolves to an address of this machine is not connected to', async () => {
    const found = (targets: 'public' | 'any') =>
      new Promise((resolve) =>
        guardedLookup(targets)('localhost', { all: true }, (error, addresses) =>
          resolve(error?.code ?? (addresses as LookupAddress[]).length > 0),
        ),
      );
    expect(await found('public')).toBe('AddressRefused');
    expect(await found('any')).toBe(true);
  });

  test('what came into the database by another way is refused when it is sent', async () => {
    const sent = { body: '{}', headers: {}, targets: 'public' as const, timeoutMs: 1000 };
    expect(await post({ ...sent, url: 'http://127.0.0.1:1/' })).toBe('EndpointAddressRefused');
    expect(await post({ ...sent, url: 'https://127.0.0.1:1/' })).toBe('EndpointAddressRefused');
  });
});

describe('sealed secrets', () => {
  const key = randomBytes(32).toString('base64');

  test('open with the same key for the same endpoint only', () => {
    const sealed = seal('https://hooks.example.com/T0/B0/secret', { key, of: 'endpoint-1' });
    expect(sealed).not.toContain('hooks');
    expect(unseal(sealed, { key, of: 'endpoint-1' })).toBe('https://hooks.example.com/T0/B0/secret');
    expect(unseal(sealed, { key, of: 'endpoint-2' })).toBeNull();
    expect(unseal(sealed, { key: randomBytes(32).toString('base64'), of: 'endpoint-1' })).toBeNull();
    expect(unseal(`${sealed.slice(0, -2)}AA`, { key, of: 'endpoint-1' })).toBeNull();
    expect(unseal('nothing', { key, of: 'endpoint-1' })).toBeNull();
  });

  test('a new secret signs by Standard Webhooks and is another one each time', () => {
    expect(isWebhookSecret(newWebhookSecret())).toBe(true);
    expect(newWebhookSecret()).not.toBe(newWebhookSecret());
  });
});
