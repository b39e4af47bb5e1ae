import { isViolation, type Violation } from '../../domain/violation';
import { equalsInConstantTime } from '../constant-time';
import { readInstant } from '../deal/readers';
import { type InboxEvent } from '../inbox-event';
import { child, childrenOf, parseXml, type XmlElement } from '../xml';
import { isRecordId, longRecordId } from './record-id';

const SOAP = 'http://schemas.xmlsoap.org/soap/envelope/';
const OUTBOUND = 'http://soap.sforce.com/2005/09/outbound';
const MAX_NOTIFICATIONS = 100;

/** One record that an outbound message tells of; `fields` are those chosen in Salesforce, as text. */
export interface OutboundNotification {
  readonly notificationId: string;
  readonly entity: string;
  readonly recordId: string;
  readonly fields: Readonly<Record<string, string>>;
}

export interface OutboundMessage {
  readonly organizationId: string;
  readonly notifications: readonly OutboundNotification[];
}

/**
 * Parses the SOAP body of a Salesforce outbound message (at most 1 MiB and 100 notifications, no DOCTYPE). The session id that the
 * message may carry is a credential and is not read. Refused as `XmlMalformed`, `XmlUnsafe`, `XmlTooLarge` or `SoapUnexpected`.
 */
export function parseOutboundMessage(rawBody: Buffer): OutboundMessage | Violation {
  const envelope = parseXml(rawBody);
  if (isViolation(envelope)) return envelope;
  if (envelope.name !== 'Envelope' || envelope.namespace !== SOAP) return unexpected('must be a SOAP 1.1 envelope', '/Envelope');
  const message = child(envelope, 'Body')?.children.find((each) => each.name === 'notifications' && each.namespace === OUTBOUND);
  if (message === undefined) return unexpected('must hold outbound notifications', '/Envelope/Body');
  const organizationId = child(message, 'OrganizationId')?.text ?? '';
  if (!isRecordId(organizationId)) return unexpected('must be the id of an organization', '/Envelope/Body/notifications/OrganizationId');
  const items = childrenOf(message, 'Notification');
  if (items.length === 0 || items.length > MAX_NOTIFICATIONS)
    return unexpected(`must hold 1 to ${MAX_NOTIFICATIONS} notifications`, '/Envelope/Body/notifications');
  const notifications: OutboundNotification[] = [];
  for (const [index, item] of items.entries()) {
    const notification = readNotification(item, index);
    if (isViolation(notification)) return notification;
    notifications.push(notification);
  }
  return { organizationId: longRecordId(organizationId), notifications };
}

/**
 * Outbound messages carry no signature. So the endpoint address holds a secret token (`…?token=…`, several while it rotates), compared
 * in constant time, and the organization must be ours. Mutual TLS, where it ends before us, comes on top. Null when both hold.
 */
export function verifyOutboundMessage(
  given: { organizationId: string; token: string },
  expected: { organizationId: string; tokens: readonly string[] },
): Violation | null {
  const tokenFits = expected.tokens.some((token) => token !== '' && equalsInConstantTime(token, given.token));
  if (!tokenFits) return { violation: 'SignatureInvalid', detail: 'the token of the endpoint does not fit' };
  const ours = equalsInConstantTime(longRecordId(expected.organizationId), longRecordId(given.organizationId));
  return ours ? null : { violation: 'SignatureInvalid', detail: 'the message comes from another organization' };
}

/**
 * The inbox events of a message. A notification tells only that a record changed, out of order and sometimes twice, so the record is
 * fetched. Its order is the record's own change date where that field was chosen, else 0 (older than anything known).
 */
export function outboundEvents(message: OutboundMessage): InboxEvent[] {
  return message.notifications.map(({ notificationId, entity, recordId, fields }) => {
    const occurredAt = readInstant(fields.SystemModstamp) ?? readInstant(fields.LastModifiedDate);
    const wanted = entity === 'Opportunity';
    return {
      source: 'salesforce',
      eventId: `outbound/${notificationId}`,
      externalId: recordId,
      type: `outbound/${entity}`,
      order: occurredAt === null ? 0 : Date.parse(occurredAt),
      orderScale: 'milliseconds',
      occurredAt,
      wanted,
      reason: wanted ? null : `unknown object ${entity}`,
      payload: { organizationId: message.organizationId, notificationId, entity, recordId, fields },
    };
  });
}

/** The answer that Salesforce waits for; `false` makes it send the message again. */
export function outboundAcknowledgement(taken: boolean): string {
  return (
    '<?xml version="1.0" encoding="UTF-8"?>' +
    `<soapenv:Envelope xmlns:soapenv="${SOAP}"><soapenv:Body>` +
    `<notificationsResponse xmlns="${OUTBOUND}"><Ack>${taken}</Ack></notificationsResponse>` +
    '</soapenv:Body></soapenv:Envelope>'
  );
}

function readNotification(item: XmlElement, index: number): OutboundNotification | Violation {
  const path = `/Envelope/Body/notifications/Notification[${index + 1}]`;
  const notificationId = child(item, 'Id')?.text ?? '';
  const record = child(item, 'sObject');
  if (!isRecordId(notificationId) || record === undefined) return unexpected('must have an Id and an sObject', path);
  const fields = Object.fromEntries(
    record.children.filter((field) => field.children.length === 0).map((field) => [field.name, field.text]),
  );
  const type = Object.entries(record.attributes).find(([name]) => name.endsWith(':type'))?.[1] ?? '';
  const entity = type.replace(/^.*:/, '');
  if (!isRecordId(fields.Id ?? '') || !/^\w{1,80}$/.test(entity))
    return unexpected('must have a record Id and an xsi:type', `${path}/sObject`);
  return { notificationId, entity, recordId: longRecordId(fields.Id ?? ''), fields };
}

function unexpected(detail: string, path: string): Violation {
  return { violation: 'SoapUnexpected', detail, path };
}
