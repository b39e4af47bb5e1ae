import { type Instant } from '../domain/deal/terms';

/**
 * One event as it goes into the inbox, whatever system sent it. `source` + `eventId` are the same each time the event is delivered and
 * differ between events (I-01). `order` is the source's own order of what it tells about `externalId`, comparable within one
 * `orderScale` only (D7). An event that is not wanted is kept with its reason, and nothing else happens.
 */
export interface InboxEvent {
  readonly source: string;
  readonly eventId: string;
  readonly externalId: string;
  readonly type: string;
  readonly order: number;
  readonly orderScale: 'milliseconds' | 'commit-number';
  readonly occurredAt: Instant | null;
  readonly wanted: boolean;
  readonly reason: string | null;
  readonly payload: unknown;
}
