import { z } from 'zod';
import { entityScope, instant, listOf, moment, outsideId, pageQuery, role, text, uuid, waitSchema } from './common';

export const waitListSchema = listOf(waitSchema);
export const waitQuery = z.strictObject({ ...pageQuery, role: role.optional(), dealId: uuid.optional() });

export const runParams = z.strictObject({ workflowId: z.string().min(1).max(300) });
export const runSchema = z.object({
  workflowId: z.string(),
  runId: z.string(),
  type: z.string(),
  state: z.string(),
  stage: z.string().nullable(),
  startedAt: moment,
  endedAt: moment.nullable(),
  historyLength: z.int(),
  waits: z.array(waitSchema).readonly(),
  link: z.string().nullable(),
});

export const auditQuery = z.strictObject({ ...pageQuery, stream: z.string().min(1).max(300) });
export const auditListSchema = listOf(
  z.object({
    stream: z.string(),
    sequence: z.int(),
    recordedAt: moment,
    at: moment,
    actor: z.string(),
    action: z.string(),
    subject: z.string(),
    workflowId: z.string().optional(),
    entityId: z.string().optional(),
    /** What people wrote, by what it says; null where it was erased or is not for the caller. */
    texts: z.record(z.string(), z.object({ id: z.string(), text: z.string().nullable() })).optional(),
    details: z.unknown(),
    hash: z.string(),
  }),
);

const streamHead = {
  stream: z.string(),
  entries: z.int(),
  /** Of the last entry; every entry before it is in it. */
  hash: z.string(),
  /** The last anchor that names the stream, and how many of its entries it seals. */
  anchor: z.object({ sequence: z.int(), entries: z.int(), sealedAt: moment }).nullable(),
};
export const auditStreamQuery = z.strictObject(pageQuery);
export const auditStreamListSchema = listOf(z.object(streamHead));

export const auditVerificationQuery = z.strictObject({ stream: z.string().min(1).max(300) });
export const auditVerificationSchema = z.object({
  ...streamHead,
  valid: z.boolean(),
  /** Personal values and texts that were erased, which is no damage. */
  erased: z.int(),
  /** The first damaged entry. */
  damage: z.object({ sequence: z.int(), kind: z.enum(['changed', 'missing', 'inserted', 'cut-off']), detail: z.string() }).nullable(),
});

export const fieldAccessQuery = z.strictObject({
  ...pageQuery,
  reader: z.string().min(1).max(200).optional().describe('User id, or api-key:<id>'),
  subject: z.string().min(1).max(300).optional().describe('Such as project/<id>, approval/<id> or deal/<id>'),
});
export const fieldAccessListSchema = listOf(
  z.object({
    id: z.string(),
    requestId: z.string(),
    reader: z.string(),
    seenAt: moment,
    route: z.string(),
    subject: z.string(),
    fieldClasses: z.array(z.string()).readonly(),
  }),
);

export const apiKeyRequest = z.strictObject({
  name: text,
  roles: z.array(role).min(1).max(20),
  scope: entityScope,
  expiresAt: instant.optional(),
});
export const apiKeyCreated = z.object({ id: z.string(), key: z.string() });

export const meSchema = z.object({
  kind: z.enum(['user', 'api-key']),
  id: z.string(),
  roles: z.array(z.object({ role: z.string(), scope: entityScope })).readonly(),
  permissions: z.array(z.string()).readonly(),
});

export const devTokenRequest = z.strictObject({ userId: outsideId });
export const devTokenSchema = z.object({ token: z.string(), expiresAt: moment });
