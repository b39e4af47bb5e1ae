import { z } from 'zod';
import { fieldErrors, type FieldError } from '../../contracts/problems';
import { type InboxEvent } from '../inbox-event';
import { isRecordId, longRecordId } from './record-id';

/**
 * A Change Data Capture event as a relay passes it on: the message of the channel as JSON, signed with Standard Webhooks (verify
 * first). Unknown fields are allowed and kept.
 */
export const changeEventSchema = z.looseObject({
  channel: z.string().max(200).optional(),
  payload: z.looseObject({
    ChangeEventHeader: z.looseObject({
      entityName: z.string().regex(/^\w{1,80}$/),
      recordIds: z.array(z.string().max(18)).min(1).max(200),
      changeType: z.enum([
        'CREATE',
        'UPDATE',
        'DELETE',
        'UNDELETE',
        'GAP_CREATE',
        'GAP_UPDATE',
        'GAP_DELETE',
        'GAP_UNDELETE',
        'GAP_OVERFLOW',
      ]),
      changedFields: z.array(z.string().max(200)).max(2000).optional(),
      transactionKey: z.string().min(1).max(100),
      sequenceNumber: z.int().min(0),
      commitNumber: z.int().min(0),
      commitTimestamp: z
        .int()
        .min(0)
        .max(Date.UTC(2200, 0, 1) - 1),
    }),
  }),
});

type ChangeEvent = z.infer<typeof changeEventSchema>;

export type ChangeEventRead =
  | { readonly kind: 'events'; readonly events: readonly InboxEvent[] }
  | { readonly kind: 'invalid'; readonly errors: readonly FieldError[] };

/**
 * One inbox event per record of a change event, ordered by commit number (D7). Wanted is what may have moved an opportunity's stage:
 * its creation, a change of stage, and a gap event, which says only that something changed, so the record is fetched. An overflow names
 * no record: it is kept, and its reason says that a person reconciles. Records of one event may be
 * many (a merged change); each keeps the header with its own id, not the body.
 */
export function readChangeEvent(body: unknown): ChangeEventRead {
  const parsed = changeEventSchema.safeParse(body, { reportInput: true });
  if (!parsed.success) return { kind: 'invalid', errors: fieldErrors(parsed.error) };
  const header = parsed.data.payload.ChangeEventHeader;
  const events = header.recordIds.map((recordId): InboxEvent => {
    const reason = unwanted(header, recordId);
    return {
      source: 'salesforce',
      eventId: `${header.transactionKey}/${header.sequenceNumber}/${longRecordId(recordId)}`,
      externalId: longRecordId(recordId),
      type: `${header.entityName}/${header.changeType}`,
      order: header.commitNumber,
      orderScale: 'commit-number',
      occurredAt: new Date(header.commitTimestamp).toISOString(),
      wanted: reason === null,
      reason,
      payload: { channel: parsed.data.channel, payload: { ChangeEventHeader: { ...header, recordIds: [recordId] } } },
    };
  });
  return { kind: 'events', events };
}

const STAGE_FIELDS = new Set(['StageName', 'IsWon', 'IsClosed']);

function unwanted(header: ChangeEvent['payload']['ChangeEventHeader'], recordId: string): string | null {
  if (header.entityName !== 'Opportunity') return `unknown object ${header.entityName}`;
  if (header.changeType === 'GAP_OVERFLOW') return 'an overflow names no record: reconcile the closed opportunities';
  if (!isRecordId(recordId)) return `no single record: ${recordId}`;
  if (header.changeType === 'DELETE' || header.changeType === 'GAP_DELETE') return 'a deleted opportunity does not change its deal';
  const changed = header.changedFields ?? [];
  const known = header.changeType === 'UPDATE' && changed.length > 0;
  return known && !changed.some((field) => STAGE_FIELDS.has(field)) ? 'the change does not concern the stage' : null;
}
