import { z } from 'zod';
import { listOf, outsideId, pageQuery } from './common';

/** Where a role comes from: assigned, by a seat in a committee, or handed on by somebody. */
const roleSource = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('assignment'), scope: z.enum(['group', 'entity']), scopeId: z.string() }),
  z.object({ kind: z.literal('committee') }),
  z.object({ kind: z.literal('delegation'), delegationId: z.string(), delegatorId: z.string() }),
]);

const side = z.object({ duty: z.string(), role: z.string(), source: roleSource });

/** `entityId` is null where both roles are held everywhere. */
export const dutyConflictListSchema = listOf(
  z.object({
    userId: z.string(),
    entityId: z.string().nullable(),
    ruleId: z.string(),
    text: z.string(),
    policy: z.object({ kind: z.enum(['approval', 'control-points']), versionId: z.string(), version: z.int() }),
    first: side,
    last: side,
  }),
);
export const dutyConflictQuery = z.strictObject({ ...pageQuery, entityId: outsideId.optional(), userId: outsideId.optional() });
