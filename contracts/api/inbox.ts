import { z } from 'zod';
import { listOf, moment, pageQuery } from './common';

export const inboxStates = ['received', 'delivered', 'ignored', 'invalid', 'failed', 'superseded'] as const;

const storedError = z.object({ violation: z.string(), detail: z.string(), path: z.string().optional() });

/** What became of the events of one webhook request. */
export const webhookAnswerSchema = z.object({
  events: z.array(
    z.object({ inboxEventId: z.string(), eventId: z.string(), state: z.enum(inboxStates), errors: z.array(storedError).readonly() }),
  ),
});

export const inboxEventSchema = z.object({
  id: z.string(),
  source: z.string(),
  eventId: z.string(),
  type: z.string(),
  subject: z.string(),
  state: z.enum(inboxStates),
  errors: z.array(storedError).readonly(),
  dealId: z.string().nullable(),
  attempts: z.int(),
  occurredAt: moment,
  receivedAt: moment,
  nextAttemptAt: moment,
  settledAt: moment.nullable(),
});
export const inboxEventListSchema = listOf(inboxEventSchema);
export const inboxEventQuery = z.strictObject({
  ...pageQuery,
  state: z.enum(inboxStates).optional(),
  source: z.string().max(300).optional(),
});
