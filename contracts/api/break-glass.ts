import { z } from 'zod';
import { listOf, moment, pageQuery, text, uuid } from './common';
import { secondPersonDecided } from './second-person';

export const breakGlassRequest = z.strictObject({ reason: text });

const states = ['requested', 'granted', 'refused', 'used', 'lapsed'] as const;
export type BreakGlassState = (typeof states)[number];

export const breakGlassSchema = z.object({
  id: z.string(),
  approvalId: z.string(),
  /** Where the approval is decided. */
  entityId: z.string(),
  userId: z.string(),
  /** The rules of duties that it sets aside. */
  ruleIds: z.array(z.string()),
  /** `lapsed`: neither granted nor used in its time. */
  state: z.enum(states),
  /** Told to whoever decides on it or audits, and to who asked; null where it was erased. */
  reason: z.string().nullable(),
  requestedAt: moment,
  /** Until when it can be granted or, granted, used. */
  lapsesAt: moment,
  ...secondPersonDecided,
  /** The decision that was taken by it. */
  decisionId: z.string().nullable(),
  usedAt: moment.nullable(),
});
export const breakGlassListSchema = listOf(breakGlassSchema);
export const breakGlassQuery = z.strictObject({ ...pageQuery, state: z.enum(states).optional(), approvalId: uuid.optional() });
