import { Webhook } from 'standardwebhooks';
import { type Violation } from '../domain/violation';
import { equalsInConstantTime } from './constant-time';

const TOLERANCE_SECONDS = 5 * 60;

/** Header values of a request, as Node gives them (names in lower case). */
export type HeaderValues = Readonly<Record<string, string | readonly string[] | undefined>>;

/** A message whose signature holds; `messageId` is the sender's id of the message, the same when it is sent again. */
export interface VerifiedWebhook {
  readonly messageId: string;
  readonly sentAt: string;
}

/**
 * Verifies a Standard Webhooks signature over the raw body: any of the `v1` signatures of the header may fit any of our `secrets`
 * (`whsec_…`, several while they rotate). `now` is the technical clock; a message more than 5 minutes old or ahead is stale.
 */
export function verifyStandardWebhook(
  rawBody: Buffer,
  headers: HeaderValues,
  secrets: readonly string[],
  now: Date,
): VerifiedWebhook | Violation {
  const messageId = single(headers['webhook-id']);
  const timestamp = single(headers['webhook-timestamp']);
  const signatures = single(headers['webhook-signature']);
  if (messageId === '' || messageId.length > 200 || signatures === '')
    return invalid('webhook-id, webhook-timestamp and webhook-signature are required');
  if (!/^\d{1,12}$/.test(timestamp)) return invalid('webhook-timestamp must be seconds since 1970');
  const sentAt = new Date(Number(timestamp) * 1000);
  const given = signatures.split(' ').slice(0, 20);
  const body = rawBody.toString('utf8');
  if (!Buffer.from(body, 'utf8').equals(rawBody)) return invalid('the body is not UTF-8');
  const fits = secrets
    .map((secret) => new Webhook(secret).sign(messageId, sentAt, body))
    .some((expected) => given.some((signature) => equalsInConstantTime(expected, signature)));
  if (!fits) return invalid('no signature fits');
  if (Math.abs(now.getTime() / 1000 - Number(timestamp)) > TOLERANCE_SECONDS)
    return { violation: 'SignatureStale', detail: 'signed more than 5 minutes ago or ahead' };
  return { messageId, sentAt: sentAt.toISOString() };
}

/** The three headers that sign `rawBody`, for clients, the demo and tests. A message that is sent again keeps its `messageId`. */
export function signStandardWebhook(
  rawBody: string,
  secret: string,
  messageId: string,
  at: Date,
): Record<'webhook-id' | 'webhook-timestamp' | 'webhook-signature', string> {
  return {
    'webhook-id': messageId,
    'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
    'webhook-signature': new Webhook(secret).sign(messageId, at, rawBody),
  };
}

/** True for a secret that signatures can be made with: `whsec_` (optional) and base64 of at least 16 bytes. For the config schema. */
export function isWebhookSecret(secret: string): boolean {
  const encoded = secret.replace(/^whsec_/, '');
  return /^[A-Za-z0-9+/]+={0,2}$/.test(encoded) && encoded.length % 4 === 0 && Buffer.from(encoded, 'base64').length >= 16;
}

function single(value: string | readonly string[] | undefined): string {
  return typeof value === 'string' ? value : '';
}

function invalid(detail: string): Violation {
  return { violation: 'SignatureInvalid', detail };
}
