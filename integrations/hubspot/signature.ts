import { createHmac } from 'node:crypto';
import { type Violation } from '../../domain/violation';
import { equalsInConstantTime } from '../constant-time';

const TOLERANCE_MS = 5 * 60 * 1000;

/** What HubSpot signs. `url` is the public address as configured in HubSpot, scheme, host and query included. */
export interface HubspotRequest {
  readonly method: string;
  readonly url: string;
  readonly rawBody: Buffer;
  /** `X-HubSpot-Signature-v3` */
  readonly signature: string;
  /** `X-HubSpot-Request-Timestamp`, milliseconds since 1970 */
  readonly timestamp: string;
}

/**
 * Verifies HubSpot's request signature v3: base64 of HMAC-SHA256 over method + URI + raw body + timestamp, keyed with the app's client
 * secret (several while they rotate). `now` is the technical clock; more than 5 minutes old or ahead is stale. Null when it holds.
 */
export function verifyHubspotSignature(request: HubspotRequest, secrets: readonly string[], now: Date): Violation | null {
  if (request.signature === '' || !/^\d{1,15}$/.test(request.timestamp)) {
    return { violation: 'SignatureInvalid', detail: 'X-HubSpot-Signature-v3 and X-HubSpot-Request-Timestamp are required' };
  }
  if (!secrets.some((secret) => equalsInConstantTime(signHubspotRequest(request, secret), request.signature))) {
    return { violation: 'SignatureInvalid', detail: 'no signature fits' };
  }
  if (Math.abs(now.getTime() - Number(request.timestamp)) > TOLERANCE_MS) {
    return { violation: 'SignatureStale', detail: 'signed more than 5 minutes ago or ahead' };
  }
  return null;
}

/** The value of `X-HubSpot-Signature-v3` for a request; also for the demo and tests. */
export function signHubspotRequest(request: Omit<HubspotRequest, 'signature'>, secret: string): string {
  return createHmac('sha256', secret)
    .update(request.method.toUpperCase() + decodeUri(request.url))
    .update(request.rawBody)
    .update(request.timestamp)
    .digest('base64');
}

/** HubSpot signs the URI with exactly these escapes decoded and all others left as they are (its page "Validating requests"). */
function decodeUri(url: string): string {
  return url.replace(/%(?:3A|2F|3F|40|21|24|27|28|29|2A|2C|3B)/gi, (escape) => decodeURIComponent(escape));
}
