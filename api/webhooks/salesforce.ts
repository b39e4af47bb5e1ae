import { type FastifyRequest } from 'fastify';
import { isViolation } from '../../domain/violation';
import { readChangeEvent } from '../../integrations/salesforce/change-event';
import {
  outboundAcknowledgement,
  outboundEvents,
  parseOutboundMessage,
  verifyOutboundMessage,
} from '../../integrations/salesforce/outbound-message';
import { type RouteDeps } from '../deps';
import { refused } from '../errors';
import { parseJson } from '../body';
import { configured, signedJson } from './signed';
import { asViolations, crmEvent, invalid, store, type ToldEvent, unreadable } from './store';

/** A relayed change event, ordered by commit number. */
export async function takeChangeEvent(deps: RouteDeps, request: FastifyRequest): Promise<ToldEvent[]> {
  signedJson(request, deps.config.salesforce.relaySecret);
  const body = parseJson(request.rawBody);
  const read = readChangeEvent(body);
  if (read.kind === 'invalid') {
    throw invalid('EventInvalid', await store(deps, unreadable('salesforce', request.rawBody, body, asViolations(read.errors))));
  }
  const told: ToldEvent[] = [];
  for (const event of read.events) told.push(await store(deps, crmEvent(event, 'salesforce')));
  return told;
}

/**
 * An outbound message, ordered by the record's own change date: another scale than change events, so another source (D7). The token is
 * compared before anything is parsed. */
export async function takeOutboundMessage(deps: RouteDeps, request: FastifyRequest, token: string): Promise<string> {
  const organizationId = configured(deps.config.salesforce.organizationId);
  const expected = { organizationId, tokens: [configured(deps.config.salesforce.outboundToken)] };
  const stranger = verifyOutboundMessage({ organizationId, token }, expected);
  if (stranger !== null) throw refused(stranger);
  const message = parseOutboundMessage(request.rawBody);
  const foreign = isViolation(message) ? null : verifyOutboundMessage({ organizationId: message.organizationId, token }, expected);
  if (foreign !== null) throw refused(foreign);
  if (isViolation(message)) {
    const kept = unreadable('salesforce-outbound', request.rawBody, { bytes: request.rawBody.length }, [message]);
    throw invalid('EventInvalid', await store(deps, kept));
  }
  for (const event of outboundEvents(message)) await store(deps, crmEvent(event, 'salesforce-outbound'));
  return outboundAcknowledgement(true);
}
