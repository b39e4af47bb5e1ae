import { z } from 'zod';
import { policyKinds } from '../policy-catalogue';
import { listOf, localDate, moment, outsideId, pageQuery, text, uuid } from './common';

export const policyKind = z.enum(policyKinds as [(typeof policyKinds)[number], ...(typeof policyKinds)[number][]]);

const named = z.object({ versionId: z.string(), version: z.int() });

/** A version of a policy, without what it says. `contentHash` is over all that it says. */
export const policyVersionSummary = named.extend({
  kind: z.string(),
  /** The entity that says something otherwise; null for a version of the group. */
  entityId: z.string().nullable(),
  /** The version of the group that an entity's version was made against. */
  refines: named.nullable(),
  validFrom: z.string(),
  /** Where it stands today. */
  state: z.enum(['scheduled', 'in-force', 'superseded', 'withdrawn']),
  /** The version that follows it in force, and from when; null where none does. */
  succeededBy: named.extend({ validFrom: z.string() }).nullable(),
  withdrawnFrom: z.string().nullable(),
  contentHash: z.string(),
  /** The change that brought it, who asked and who granted it; null where it came with master data. */
  change: z
    .object({
      changeId: z.string(),
      approvalId: z.string(),
      requestedBy: z.string(),
      grantedAt: moment,
      grantedBy: z.array(z.object({ userId: z.string(), onBehalfOf: z.string().nullable(), role: z.string() })).readonly(),
    })
    .nullable(),
  /** Of a version that came with master data: which standard the firm refined by it, and who approved that, as its file says. */
  masterData: z.object({ refines: z.string().nullable(), approvedBy: z.string().nullable() }).nullable(),
  recordedAt: moment,
});

/** `content` is what the version says, of an entity only what it says otherwise; `holds` is what is gone by with it. */
export const policyVersionSchema = policyVersionSummary.extend({ content: z.unknown(), holds: z.unknown() });
export const policyVersionListSchema = listOf(policyVersionSummary);

/** `inForce` is null where the firm has none of this kind yet; `local` are JSON pointers of what entities may say otherwise. */
export const policyListSchema = listOf(
  z.object({
    kind: z.string(),
    title: z.string(),
    decides: z.string(),
    changedBy: z.enum(['approval', 'master-data']),
    local: z.array(z.string()).readonly(),
    inForce: policyVersionSummary.nullable(),
  }),
);

/** What is gone by on a day: the version of the group, and of the entity that was asked for. */
export const policyInForceSchema = z.object({
  kind: z.string(),
  on: z.string(),
  entityId: z.string().nullable(),
  group: policyVersionSummary,
  own: policyVersionSummary.nullable(),
  content: z.unknown(),
});

/** `path` is a JSON pointer; elements of a list that have ids are named by them. What is not there is absent. */
export const policyDifferenceSchema = z.object({
  from: policyVersionSummary,
  to: policyVersionSummary,
  differences: z.array(z.object({ path: z.string(), before: z.unknown().optional(), after: z.unknown().optional() })).readonly(),
});

export const policyQuery = z.strictObject({});
export const policyVersionQuery = z.strictObject({ ...pageQuery, entityId: outsideId.optional() });
export const policyInForceQuery = z.strictObject({ on: localDate.optional(), entityId: outsideId.optional() });
export const policyDifferenceQuery = z.strictObject({ from: uuid });

/** More than any policy needs, and little enough for one message. */
const MOST_CHARACTERS = 100_000;

/** What the kind of policy says of a content is checked against it where the change is made. */
export const policyChangeRequest = z.strictObject({
  /** The entity that is to say something otherwise; null for the group. */
  entityId: outsideId.nullable().default(null),
  basedOn: uuid,
  effectiveFrom: localDate,
  content: z
    .record(z.string(), z.unknown())
    .refine((content) => JSON.stringify(content).length <= MOST_CHARACTERS, `must be at most ${MOST_CHARACTERS} characters of JSON`),
  reason: text,
});
export const policyWithdrawalRequest = z.strictObject({ reason: text });
export const policyChangeReceiptSchema = z.object({ changeId: z.string(), approvalId: z.string() });

export const policyChangeStates = ['requested', 'applied', 'refused', 'withdrawn', 'outdated'] as const;
export const policyChangeSummary = z.object({
  changeId: z.string(),
  kind: z.string(),
  action: z.enum(['introduce', 'withdraw']),
  entityId: z.string().nullable(),
  /** What a new version follows or refines; or the version that is taken back. */
  basedOn: named,
  effectiveFrom: z.string(),
  contentHash: z.string().nullable(),
  reason: z.string().nullable(),
  approvalId: z.string(),
  requestedBy: z.string(),
  requestedAt: moment,
  state: z.enum(policyChangeStates),
  settledAt: moment.nullable(),
  outcome: z.string().nullable(),
  /** The version that it has brought. */
  versionId: z.string().nullable(),
});
export const policyChangeSchema = policyChangeSummary.extend({ content: z.unknown() });
export const policyChangeListSchema = listOf(policyChangeSummary);
export const policyChangeQuery = z.strictObject({ ...pageQuery, state: z.enum(policyChangeStates).optional() });
