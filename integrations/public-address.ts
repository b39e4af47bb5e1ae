import { lookup } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { type Violation } from '../domain/violation';

/** `public`: https to addresses of the internet alone. `any`: also http and addresses of this machine and its networks. */
export type Targets = 'public' | 'any';

/** Why a host may not be reached; thrown while connecting, with a code that is safe to log. */
export class AddressRefused extends Error {
  override readonly name = 'AddressRefused';
  readonly code = 'AddressRefused';
}

/** True where the text may be the address of an endpoint; what its host resolves to is looked at when it is connected to. */
export function refuseUrl(text: string, targets: Targets): Violation | null {
  const refused = (detail: string): Violation => ({ violation: 'EndpointAddressRefused', detail });
  if (!URL.canParse(text)) return refused('not an address');
  const url = new URL(text);
  if (url.protocol !== 'https:' && !(targets === 'any' && url.protocol === 'http:')) return refused('not https');
  if (url.username !== '' || url.password !== '') return refused('a user name or password in the address');
  const host = hostOf(url);
  if (targets === 'public' && (isIP(host) === 0 ? isLocalName(host) : !isPublic(host))) return refused('not an address of the internet');
  return null;
}

/**
 * Resolves a name and gives only addresses that may be reached: what is checked is what is connected to, so a name that resolves to another
 * address a moment later changes nothing. A literal address is not resolved; `refuseUrl` looks at it.
 */
export function guardedLookup(targets: Targets): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, found) => {
      if (error) return callback(error, []);
      const allowed = targets === 'any' ? found : found.filter(({ address }) => isPublic(address));
      const [first] = allowed;
      // One address inside makes the name suspect as a whole.
      if (first === undefined || allowed.length < found.length) return callback(new AddressRefused('not an address of the internet'), []);
      return options.all === true ? callback(null, allowed) : callback(null, first.address, first.family);
    });
  };
}

/** The host of an address as sockets know it: an IPv6 address without brackets. */
export function hostOf(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, '$1');
}

/** True for an address that the internet routes. */
export function isPublic(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return !INSIDE.check(address, 'ipv4');
  // Of IPv6 only global unicast, without what stands for an address of IPv4 or is set apart in it.
  return family === 6 && GLOBAL.check(address, 'ipv6') && !INSIDE.check(address, 'ipv6');
}

function isLocalName(host: string): boolean {
  return !host.includes('.') || /(?:^|\.)(?:localhost|local|internal|home\.arpa)\.?$/i.test(host);
}

const GLOBAL = new BlockList();
GLOBAL.addSubnet('2000::', 3, 'ipv6');

const INSIDE = new BlockList();
for (const [net, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const)
  INSIDE.addSubnet(net, prefix, 'ipv4');
for (const [net, prefix] of [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const)
  INSIDE.addSubnet(net, prefix, 'ipv6');
