import { type FastifyRequest } from 'fastify';
import { type InboxRow, putInboxEvent } from '../db/inbox';
import { principalName } from './auth/principal';
import { type ApiDeps } from './deps';
import { ApiError } from './errors';
import { idFor } from './idempotency';

/** Kinds of facts that the inbox takes from people and integrations; the stream is what is taken one after the other. */
export type IntakeType = 'delivery-plan' | 'cost-forecasts' | 'time-entries' | 'bank-statements' | 'master-data';

/**
 * Takes facts into the inbox, for the stream's run to apply: the one write of such a request, so that it works while Temporal is down
 * (D8). The event id follows from the idempotency key, or is given where the facts have an identity of their own.
 */
export async function putIntake(
  deps: Pick<ApiDeps, 'db' | 'clock'>,
  request: FastifyRequest,
  type: IntakeType,
  stream: string,
  facts: Record<string, unknown>,
  eventId: string = idFor(request, type),
): Promise<{ inboxEventId: string }> {
  const { row } = await putIntakeEvent(deps, request, type, stream, facts, eventId);
  return { inboxEventId: row.id };
}

/** `inserted` is false where the event was there already; other facts under its id are refused. */
export async function putIntakeEvent(
  deps: Pick<ApiDeps, 'db' | 'clock'>,
  request: FastifyRequest,
  type: IntakeType,
  stream: string,
  facts: Record<string, unknown>,
  eventId: string,
): Promise<{ inserted: boolean; row: InboxRow }> {
  const at = await deps.clock.now();
  const { inserted, sameContent, row } = await putInboxEvent(deps.db, {
    source: 'api',
    eventId: `${type}/${eventId}`,
    type,
    subject: stream,
    sourceOrder: String(Date.now()),
    occurredAt: at,
    businessReceivedAt: at,
    payload: { ...facts, by: principalName(request.principal) },
  });
  if (!inserted && !sameContent) throw new ApiError('EventIdReused', 'other facts came under this id');
  return { inserted, row };
}
