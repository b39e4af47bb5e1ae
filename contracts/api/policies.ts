import { z } from 'zod';
import { policyKinds } from '../policy-catalogue';
import { listOf, localDate, moment, pageQuery, uuid } from './common';

export const policyKind = z.enum(policyKinds as [(typeof policyKinds)[number], ...(typeof policyKinds)[number][]]);

/** A version of a policy, without what it says. `contentHash` is over all that it says. */
export const policyVersionSummary = z.object({
  versionId: z.string(),
  kind: z.string(),
  version: z.int(),
  validFrom: z.string(),
  /** Where it stands today. */
  state: z.enum(['scheduled', 'in-force', 'superseded']),
  /** The version that follows it in force, and from when; null where none does. */
  succeededBy: z.object({ versionId: z.string(), version: z.int(), validFrom: z.string() }).nullable(),
  contentHash: z.string(),
  /** Of a version that came with master data: which standard the firm refined by it, and who approved that. */
  refines: z.string().nullable(),
  approvedBy: z.string().nullable(),
  recordedAt: moment,
});

export const policyVersionSchema = policyVersionSummary.extend({ content: z.unknown() });
export const policyVersionListSchema = listOf(policyVersionSummary);

/** `inForce` is null where the firm has none of this kind yet. */
export const policyListSchema = listOf(
  z.object({
    kind: z.string(),
    title: z.string(),
    decides: z.string(),
    inForce: policyVersionSummary.nullable(),
  }),
);

/** `path` is a JSON pointer; elements of a list that have ids are named by them. What is not there is absent. */
export const policyDifferenceSchema = z.object({
  from: policyVersionSummary,
  to: policyVersionSummary,
  differences: z.array(z.object({ path: z.string(), before: z.unknown().optional(), after: z.unknown().optional() })).readonly(),
});

export const policyQuery = z.strictObject({});
export const policyVersionQuery = z.strictObject({ ...pageQuery });
export const policyInForceQuery = z.strictObject({ on: localDate.optional() });
export const policyDifferenceQuery = z.strictObject({ from: uuid });
