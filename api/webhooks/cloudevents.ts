import { type FastifyRequest } from 'fastify';
import { type FieldError, fieldErrors } from '../../contracts/problems';
import { type CloudEvent, cloudEventSchema, readDealEvent } from '../../integrations/cloudevents';
import { type RouteDeps } from '../deps';
import { parseJson } from '../body';
import { signedJson } from './signed';
import { asViolations, invalid, store, type ToldEvent, unreadable } from './store';

/** The event is read at the door, because everything it says stands in it: a deal with wrong fields is kept and answered with all of them. */
export async function takeCloudEvent(deps: RouteDeps, request: FastifyRequest): Promise<ToldEvent[]> {
  signedJson(request, deps.config.crmWebhookSecret);
  const body = parseJson(request.rawBody);
  const envelope = cloudEventSchema.safeParse(body, { reportInput: true });
  if (!envelope.success) throw invalid('EventInvalid', await keepUnreadable(deps, request, body, fieldErrors(envelope.error)));
  const event = envelope.data;
  const report = readDealEvent(body);
  const door = {
    source: cloudEventSource(event.source),
    eventId: event.id,
    type: event.type,
    subject: subjectOf(event),
    sourceOrder: String(event.time === undefined ? 0 : Date.parse(event.time)),
    occurredAt: new Date(event.time ?? Date.now()).toISOString(),
    payload: body,
  };
  if (report.kind === 'ignored')
    return [await store(deps, { ...door, state: 'ignored', errors: [{ violation: 'EventIgnored', detail: report.reason }] }, true)];
  if (report.kind !== 'invalid') return [await store(deps, { ...door, state: 'received' }, true)];
  throw invalid('DealInvalid', await store(deps, { ...door, state: 'invalid', errors: asViolations(report.errors) }, true));
}

/** Sources of CloudEvents are names that senders choose: they cannot be taken for the CRMs that we read ourselves. */
function cloudEventSource(source: string): string {
  return `cloudevents:${source}`;
}

/** What an event tells about: its subject, else its deal, else itself. */
export function subjectOf({ id, subject, data }: CloudEvent): string {
  if (subject !== undefined) return subject;
  const dealId: unknown = typeof data === 'object' && data !== null && 'dealId' in data ? data.dealId : undefined;
  return typeof dealId === 'string' && dealId !== '' ? dealId.slice(0, 300) : id;
}

function keepUnreadable(deps: RouteDeps, request: FastifyRequest, body: unknown, errors: readonly FieldError[]): Promise<ToldEvent> {
  return store(deps, unreadable('cloudevents', request.rawBody, body, asViolations(errors)));
}
