import { z } from 'zod';
import { listOf, moment, outsideId, pageQuery } from './common';

export const exceptionItemQuery = z.strictObject({
  ...pageQuery,
  open: z.enum(['true', 'false']).default('true').describe('false: also those that are settled'),
  personId: outsideId.optional(),
});

/** Records of one cause. `amount`: what it would be billed at, null where it has no price of its own. */
export const exceptionItemListSchema = listOf(
  z.object({
    /** What `items` of an outcome names. */
    id: z.string(),
    kind: z.enum(['time', 'expense']),
    code: z.string(),
    /** The id of the time entry or of the expense. */
    reference: z.string(),
    personId: z.string(),
    /** The day of the work or of the expense. */
    date: z.string().nullable(),
    hours: z.string().nullable(),
    amount: z.string().nullable(),
    currency: z.string().nullable(),
    addedAt: moment,
    /** The outcome that was chosen for it last. */
    choiceId: z.string().nullable(),
    settledAt: moment.nullable(),
    /** The option that settled it; `cured` by itself, `lapsed` with its deal. */
    settledAs: z.string().nullable(),
  }),
);
