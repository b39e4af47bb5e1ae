import { type FastifyRequest } from 'fastify';
import { isViolation } from '../../domain/violation';
import { verifyStandardWebhook } from '../../integrations/standard-webhooks';
import { ApiError, refused } from '../errors';

/** Refuses a request whose Standard Webhooks signature does not hold; the clock of signatures is the technical one. */
export function signedJson(request: FastifyRequest, secret: string | undefined): void {
  const verified = verifyStandardWebhook(request.rawBody, request.headers, [configured(secret)], new Date());
  if (isViolation(verified)) throw refused(verified);
}

/** Without a secret nobody can be believed; the sender keeps the event and repeats it. */
export function configured(secret: string | undefined): string {
  if (secret === undefined) throw new ApiError('WebhookNotConfigured', 'no secret is configured');
  return secret;
}
