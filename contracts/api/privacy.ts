import { z } from 'zod';
import { listOf, moment, outsideId, pageQuery, text } from './common';
import { secondPersonDecided } from './second-person';

/** A row that is held on a person. `personalData` is the whole row where it is theirs, else its key and what names them. */
export const heldRowSchema = z.object({
  table: z.string(),
  kind: z.string(),
  purpose: z.string(),
  retention: z.string(),
  linkedBy: z.array(z.string()).readonly(),
  personalData: z.record(z.string(), z.unknown()),
});
export const heldRowListSchema = listOf(heldRowSchema);

/** What the register says of a table: why it holds data of people, how long, and what an erasure does. */
export const registerSchema = z.object({
  data: z.array(
    z.object({
      table: z.string(),
      columns: z.array(z.string()).readonly(),
      kind: z.string(),
      linkedBy: z.array(z.string()).readonly(),
      purpose: z.string(),
      retention: z.string(),
      /** In force for the group now; null where nothing is erased by age or the row goes by itself. */
      months: z.int().nullable(),
      after: z.string().nullable(),
      erasure: z.string(),
      whyKept: z.string().nullable(),
    }),
  ),
});

export const erasureRequest = z.strictObject({ reason: text });

const erasureStates = ['requested', 'granted', 'refused', 'done'] as const;

export const erasureSchema = z.object({
  id: z.string(),
  userId: z.string().nullable(),
  /** The id as a worker. */
  personId: z.string().nullable(),
  entityId: z.string().nullable(),
  /** `granted`: under way, or stopped by the holds that `holds` names. */
  state: z.enum(erasureStates),
  /** Null where the retention policy asked. */
  requestedBy: z.string().nullable(),
  policyVersionId: z.string().nullable(),
  requestedAt: moment,
  reason: z.string().nullable(),
  ...secondPersonDecided,
  finishedAt: moment.nullable(),
  /** Ids of legal holds that stand over the person now; while there are any, nothing more is erased. */
  holds: z.array(z.string()).readonly(),
  /** By kind of data: how many rows were erased or emptied, and how many stay with the reason. `rows` null: not looked at yet. */
  report: z
    .array(
      z.object({
        kind: z.string(),
        erased: z.int(),
        kept: z
          .array(z.object({ why: z.enum(['law', 'evidence', 'books', 'contract', 'legal-hold']), rows: z.int().nullable() }))
          .readonly(),
      }),
    )
    .readonly(),
});
export const erasureListSchema = listOf(erasureSchema);
export const erasureQuery = z.strictObject({ ...pageQuery, state: z.enum(erasureStates).optional() });

const holdScope = z.strictObject({ kind: z.enum(['person', 'deal', 'entity']), id: outsideId });
export const legalHoldRequest = z.strictObject({ scope: holdScope, reason: text });
export const legalHoldReleaseRequest = z.strictObject({ reason: text });
export const legalHoldSchema = z.object({
  id: z.string(),
  scope: z.object({ kind: z.enum(['person', 'deal', 'entity']), id: z.string() }),
  reason: z.string().nullable(),
  placedBy: z.string(),
  placedAt: moment,
  releasedBy: z.string().nullable(),
  releasedAt: moment.nullable(),
  releaseReason: z.string().nullable(),
});
export const legalHoldListSchema = listOf(legalHoldSchema);
export const legalHoldQuery = z.strictObject({ ...pageQuery, state: z.enum(['standing', 'released']).optional() });
