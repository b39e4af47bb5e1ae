import { z } from 'zod';
import { amountText, currency, instant, listOf, moment, outsideId, pageQuery, role, text } from './common';
import { secondPersonDecided } from './second-person';

/** `from` left out: from now on. `ceiling` null: as far as the limit of the delegator. `whenAway`: only while the delegator is away. */
export const delegationRequest = z.strictObject({
  delegate: outsideId,
  role,
  ceiling: z.strictObject({ amount: amountText, currency }).nullable().default(null),
  from: instant.optional(),
  until: instant,
  whenAway: z.boolean().default(false),
  reason: text,
});

const states = ['requested', 'scheduled', 'active', 'ended', 'refused', 'withdrawn', 'lapsed'] as const;
export type DelegationState = (typeof states)[number];

export const delegationSchema = z.object({
  id: z.string(),
  /** Where the delegator is at home. */
  entityId: z.string(),
  delegator: z.string(),
  delegate: z.string(),
  role: z.string(),
  ceiling: z.object({ amount: z.string(), currency: z.string() }).nullable(),
  from: moment,
  until: moment,
  whenAway: z.boolean(),
  /** `lapsed`: not granted in its time. */
  state: z.enum(states),
  /** Whether the delegate may decide by it now. */
  countsNow: z.boolean(),
  source: z.enum(['person', 'master-data']),
  /** Told to both, and to whoever decides on delegations; else null, as where it was erased. */
  reason: z.string().nullable(),
  requestedAt: moment.nullable(),
  ...secondPersonDecided,
  closedBy: z.string().nullable(),
  closedAt: moment.nullable(),
});
export const delegationListSchema = listOf(delegationSchema);
export const delegationQuery = z.strictObject({
  ...pageQuery,
  state: z.enum(states).optional(),
  delegator: outsideId.optional(),
  delegate: outsideId.optional(),
});

/** One way or the other: times, or an iCalendar file as text, which may also be sent as it is (`text/calendar`). */
export const absencesRequest = z
  .strictObject({
    absences: z
      .array(z.strictObject({ from: instant, until: instant }).refine(({ from, until }) => from < until, 'ends before it begins'))
      .max(500)
      .optional(),
    calendar: z.string().max(262_144).optional(),
  })
  .refine(({ absences, calendar }) => (absences === undefined) !== (calendar === undefined), 'absences or a calendar, and not both');
export const absencesSchema = z.object({
  userId: z.string(),
  absences: z.array(z.object({ from: moment, until: moment })).readonly(),
  awayNow: z.boolean(),
});
