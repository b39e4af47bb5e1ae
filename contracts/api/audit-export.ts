import { z } from 'zod';
import { talkById } from './approval-talk';
import { approvalStepSchema } from './approvals';
import { moment } from './common';

/** The name of this form of the file. A change that a reader of older files would stumble over gets another number. */
export const EXPORT_FORM = 'throughline.audit-export.v1';
/** A larger deal is exported in parts, each of which can be checked by itself. */
export const MOST_ENTRIES = { json: 2_000, pdf: 500 } as const;

export const auditExportQuery = z.strictObject({
  format: z.enum(['json', 'pdf']).optional().describe('Default: what Accept asks for, else json'),
  after: z.coerce.number().int().min(0).max(1_000_000_000).default(0).describe('Entries after this one: nextAfter of the part before'),
  limit: z.coerce.number().int().min(1).max(MOST_ENTRIES.json).optional().describe('Entries in this part; a PDF holds at most 500'),
});

const hash = z.string();

/** A link of the chain. `content` is the exact text that was hashed; null where it is of another entity or speaks of all lines of the deal. */
const entry = z.object({
  sequence: z.int(),
  previousHash: hash,
  hash,
  content: z.string().nullable(),
  /** Who did what when; null where the entry is of another entity. */
  told: z
    .object({ at: moment, recordedAt: moment, actor: z.string(), action: z.string(), subject: z.string(), entityId: z.string().nullable() })
    .nullable(),
  /** Words of people by what they say. `salt` and `purpose` prove them against the commitment in the content; an erased text has none left. */
  texts: z
    .array(
      z.object({
        says: z.string(),
        id: z.string(),
        state: z.enum(['readable', 'erased', 'withheld']),
        text: z.string().nullable(),
        purpose: z.string().nullable(),
        salt: z.string().nullable(),
      }),
    )
    .readonly(),
});

const approval = z.object({
  id: z.string(),
  subjectKind: z.string(),
  subjectId: z.string(),
  entityId: z.string(),
  requestedBy: z.string(),
  state: z.string(),
  openedAt: moment,
  decidedAt: moment.nullable(),
  ruleIds: z.array(z.string()).readonly(),
  policyVersionId: z.string(),
  /** What everybody who decided was shown, as it was hashed; fields that the reader may not see are left out of it, and `isWhole` is false. */
  shown: z.unknown(),
  isWhole: z.boolean(),
  shownHash: hash,
  steps: z.array(approvalStepSchema).readonly(),
  decisions: z
    .array(
      z.object({
        decisionId: z.string(),
        tier: z.int(),
        role: z.string(),
        decidedBy: z.string(),
        onBehalfOf: z.string().nullable(),
        verdict: z.string(),
        shownHash: hash,
        reasonId: z.string().nullable(),
        decidedAt: moment,
      }),
    )
    .readonly(),
  ...talkById,
});

const anchor = z.object({
  sequence: z.int(),
  sealedAt: moment,
  streams: z.int(),
  entries: z.int(),
  headsHash: hash,
  previousHash: hash,
  hash,
  head: z.object({ sequence: z.int(), hash, entriesHash: hash }),
  /** Hashes of all heads that the anchor names: they give `headsHash`, and that of this stream is among them. */
  headHashes: z.array(hash).readonly(),
});

/** What an auditor takes along of a deal. Everything in it can be checked without the system (docs/governance.md). */
export const auditExportSchema = z.object({
  form: z.literal(EXPORT_FORM),
  exportedAt: moment,
  exportedBy: z.string(),
  /** SHA-256 of the canonical JSON of everything else but `exportedAt` and `exportedBy`; the PDF of the same part prints it. */
  contentHash: hash,
  deal: z.object({
    id: z.string(),
    name: z.string(),
    contractNumber: z.string(),
    customerId: z.string().nullable(),
    leadEntityId: z.string(),
    entityIds: z.array(z.string()).readonly(),
    state: z.string(),
    closedWonAt: moment,
    finishedAt: moment.nullable(),
  }),
  /** Entities whose facts are in the file; null: all. */
  ofEntities: z.array(z.string()).readonly().nullable(),
  part: z.object({ after: z.int(), last: z.int(), nextAfter: z.int().nullable() }),
  entries: z.array(entry).readonly(),
  policies: z
    .array(z.object({ id: z.string(), kind: z.string(), version: z.int(), validFrom: z.string(), bodyHash: hash, body: z.unknown() }))
    .readonly(),
  approvals: z.array(approval).readonly(),
  delegations: z
    .array(
      z.object({ id: z.string(), delegator: z.string(), delegate: z.string(), role: z.string(), validFrom: moment, validUntil: moment }),
    )
    .readonly(),
  slaEvents: z
    .array(
      z.object({
        workflowId: z.string(),
        kind: z.string(),
        subject: z.string(),
        role: z.string(),
        since: moment,
        at: moment,
        /** Which one of its kind: the second reminder, the first rung of the ladder. */
        rung: z.int(),
        /** Who could act then. */
        holders: z.array(z.string()).readonly(),
      }),
    )
    .readonly(),
  exceptions: z
    .array(
      z.object({
        id: z.string(),
        workflowId: z.string(),
        kind: z.string(),
        ownerRole: z.string(),
        openedAt: moment,
        closedAt: moment.nullable(),
        settledAs: z.string().nullable(),
      }),
    ) // prettier-ignore
    .readonly(),
  documents: z
    .array(z.object({ kind: z.string(), reference: z.string(), sha256: hash.nullable(), at: moment, by: z.string().nullable() }))
    .readonly(),
  verification: z.object({
    stream: z.string(),
    entries: z.int(),
    hash,
    valid: z.boolean(),
    erased: z.int(),
    damage: z.object({ sequence: z.int(), kind: z.string(), detail: z.string() }).nullable(),
    /** The last anchor that names the stream; null where none has yet. */
    anchor: anchor.nullable(),
  }),
});

export type AuditExport = z.infer<typeof auditExportSchema>;
