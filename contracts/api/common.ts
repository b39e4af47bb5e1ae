import { z } from 'zod';
import { canonical } from '../../domain/decimal';
import { isCurrency } from '../../domain/money';

/** Shapes that every route uses. Requests are strict: a field nobody knows is refused, because it is a misspelt one. */

export const uuid = z.guid();
/** An id of an outside system or of master data: printable ASCII, no spaces at the ends. */
export const outsideId = z.string().regex(/^[\x21-\x7e](?:[\x20-\x7e]{0,198}[\x21-\x7e])?$/, 'must be 1 to 200 printable ASCII characters');
export const text = z.string().trim().min(1).max(2000);
export const role = z.string().regex(/^[a-z][a-z0-9-]{0,59}$/, 'must be a role code');
export const currency = z.string().refine(isCurrency, 'must be an ISO 4217 currency');
/** Years that both Postgres and the calendars of the product understand. */
const inRange = (value: string) => value >= '1900' && value < '2200';
export const localDate = z.iso.date().refine(inRange, 'must lie between 1900 and 2199');
export const instant = z.iso
  .datetime({ offset: true })
  .refine(inRange, 'must lie between 1900 and 2199')
  .transform((value) => new Date(value).toISOString());
export const month = z.string().regex(/^(?:19|2[01])\d\d-(?:0[1-9]|1[0-2])$/, 'must be a month, YYYY-MM');
export const count = z.int().min(0).max(1_000_000_000);
/** An exact decimal, also written with more digits than it needs; read as its canonical form. */
export const decimalText = z
  .string()
  .max(40)
  .regex(/^-?\d+(?:\.\d+)?$/, 'must be an exact decimal')
  .transform((value, context) => {
    const exact = canonical(value);
    if (typeof exact === 'string') return exact;
    context.addIssue({ code: 'custom', message: 'must be an exact decimal' });
    return z.NEVER;
  });
export const amountText = z
  .string()
  .max(30)
  .regex(/^-?\d+(?:\.\d+)?$/, 'must be an amount such as 1250.00');

/** Instants in answers: ISO 8601 in UTC with `Z`. */
export const moment = z.string();

export const entityScope = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('group') }),
  z.strictObject({ kind: z.literal('entities'), entityIds: z.array(outsideId).min(1).max(100) }),
]);

/** Parameters of every list. `cursor` is the `nextCursor` of the page before, opaque to callers. */
export const pageQuery = { limit: z.coerce.number().int().min(1).max(200).default(50), cursor: z.string().max(500).optional() };

/** A page of a list; `nextCursor` is null on the last one. */
export const listOf = <T extends z.ZodType>(item: T) =>
  z.object({ data: z.array(item).readonly(), hasMore: z.boolean(), nextCursor: z.string().nullable() });

/** What is accepted and done later; `inboxEventId` is where to look. */
export const acceptedSchema = z.object({ inboxEventId: z.string() });

export const waitSchema = z.object({
  workflowId: z.string(),
  kind: z.string(),
  subject: z.string(),
  role: z.string(),
  entityId: z.string().nullable(),
  dealId: z.string().nullable(),
  asks: z.string(),
  since: moment,
  due: moment.nullable(),
  wakesAt: moment.nullable(),
  /** Why, in somebody's words; null where nothing was said, it was erased, or is not for the caller. */
  reason: z.string().nullable(),
});
