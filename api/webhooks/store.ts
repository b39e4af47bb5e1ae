import { createHash } from 'node:crypto';
import { type FieldError } from '../../contracts/problems';
import { type NewInboxEvent, putInboxEvent } from '../../db/inbox';
import { type Violation } from '../../domain/violation';
import { type InboxEvent } from '../../integrations/inbox-event';
import { type RouteDeps } from '../deps';
import { ApiError } from '../errors';

/** What a sender is told of one event. It follows from the event alone, so that the same event again gives the same answer. */
export interface ToldEvent {
  readonly inboxEventId: string;
  readonly eventId: string;
  readonly state: 'received' | 'ignored' | 'invalid';
  readonly errors: readonly Violation[];
}

type DoorEvent = Omit<NewInboxEvent, 'businessReceivedAt'> & { readonly state: ToldEvent['state'] };

/** Keeps one event and says what becomes of it; with `strict`, other content under a known id is refused. */
export async function store(deps: Pick<RouteDeps, 'db' | 'clock'>, event: DoorEvent, strict = false): Promise<ToldEvent> {
  const { row, sameContent } = await putInboxEvent(deps.db, { ...event, businessReceivedAt: await deps.clock.now() });
  if (strict && !sameContent) throw new ApiError('EventIdReused', event.eventId);
  return { inboxEventId: row.id, eventId: event.eventId, state: event.state, errors: event.errors ?? [] };
}

/** An event of a CRM as it goes into the inbox. `source` has one order of its own: events of another scale need another source (D7). */
export function crmEvent(event: InboxEvent, source: string): DoorEvent {
  return {
    source,
    eventId: event.eventId,
    type: event.type,
    subject: event.externalId,
    sourceOrder: String(event.order),
    occurredAt: event.occurredAt ?? new Date().toISOString(),
    payload: event.payload,
    state: event.wanted ? 'received' : 'ignored',
    ...(event.wanted ? {} : { errors: [{ violation: 'EventIgnored', detail: event.reason ?? 'not wanted' }] }),
  };
}

/** What a sender's system cannot have meant: kept under the hash of its bytes, with every fault, and answered with them. */
export function unreadable(source: string, raw: Buffer, payload: unknown, errors: readonly Violation[]): DoorEvent {
  return {
    source,
    eventId: `unreadable/${createHash('sha256').update(raw).digest('hex')}`,
    type: 'unreadable',
    subject: 'unreadable',
    sourceOrder: '0',
    occurredAt: new Date().toISOString(),
    payload,
    state: 'invalid',
    errors,
  };
}

export function asViolations(errors: readonly FieldError[]): Violation[] {
  return errors.map(({ pointer, code, message }) => ({ violation: code, detail: message, path: pointer }));
}

/** The 422 of an event that is kept as invalid. */
export function invalid(code: 'DealInvalid' | 'EventInvalid', told: ToldEvent): ApiError {
  const errors = told.errors.map(({ path = '', violation, detail }) => ({ pointer: path, code: violation, detail }));
  return new ApiError(code, `${errors.length} ${errors.length === 1 ? 'fault' : 'faults'}`, { errors, inboxEventId: told.inboxEventId });
}
