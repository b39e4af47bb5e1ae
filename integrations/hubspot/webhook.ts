import { z } from 'zod';
import { fieldErrors, type FieldError } from '../../contracts/problems';
import { type InboxEvent } from '../inbox-event';

/** The last moment that is stored, in milliseconds. */
const END_OF_2199 = Date.UTC(2200, 0, 1) - 1;
const id = z.union([z.int().min(0).transform(String), z.string().regex(/^\d{1,20}$/)]);

/** One event of a HubSpot webhook. Unknown fields are kept in the payload; ids come as numbers. */
export const hubspotEventSchema = z.looseObject({
  eventId: id,
  subscriptionId: id,
  portalId: id,
  objectId: id,
  occurredAt: z.int().min(0).max(END_OF_2199),
  subscriptionType: z.string().min(1).max(100),
  objectTypeId: z.string().max(100).optional(),
  attemptNumber: z.int().optional(),
  propertyName: z.string().max(200).optional(),
  propertyValue: z.string().max(65_536).nullable().optional(),
});

type HubspotEvent = z.infer<typeof hubspotEventSchema>;

/** The events that could be read, and every wrong field of those that could not (with the index of the event in its pointer). */
export interface HubspotWebhook {
  readonly events: readonly InboxEvent[];
  readonly errors: readonly FieldError[];
}

/**
 * Reads the parsed body of a HubSpot webhook. One bad event does not keep the others out, because HubSpot never sends a refused batch
 * again. Wanted is every change of a deal's stage: whether the deal is won is read from the deal itself, later and once.
 */
export function readHubspotWebhook(body: unknown): HubspotWebhook {
  if (!Array.isArray(body)) return { events: [], errors: [{ pointer: '', code: 'NotAList', message: 'must be a list of events' }] };
  if (body.length > 1000) return { events: [], errors: [{ pointer: '', code: 'TooLarge', message: 'must have at most 1000 events' }] };
  const read = body.map((item: unknown, index) => ({ index, item, parsed: hubspotEventSchema.safeParse(item, { reportInput: true }) }));
  return {
    events: read.flatMap(({ item, parsed }) => (parsed.success ? [inboxEvent(parsed.data, item)] : [])),
    errors: read.flatMap(({ index, parsed }) => (parsed.success ? [] : fieldErrors(parsed.error, `/${index}`))),
  };
}

/** HubSpot says that `eventId` alone is not unique; the attempt number is left out, because a retry is the same event (I-01). */
function inboxEvent(event: HubspotEvent, payload: unknown): InboxEvent {
  const reason = unwanted(event);
  return {
    source: 'hubspot',
    eventId: [event.portalId, event.subscriptionId, event.eventId, event.objectId, event.occurredAt].join('/'),
    externalId: event.objectId,
    type: event.propertyName === undefined ? event.subscriptionType : `${event.subscriptionType}/${event.propertyName}`,
    order: event.occurredAt,
    orderScale: 'milliseconds',
    occurredAt: new Date(event.occurredAt).toISOString(),
    wanted: reason === null,
    reason,
    payload,
  };
}

function unwanted(event: HubspotEvent): string | null {
  const ofDeal =
    event.subscriptionType === 'deal.propertyChange' ||
    (event.subscriptionType === 'object.propertyChange' && event.objectTypeId === '0-3');
  if (!ofDeal) return `unknown event type ${event.subscriptionType}`;
  return event.propertyName === 'dealstage' ? null : `the property ${event.propertyName ?? ''} does not change the stage`;
}
