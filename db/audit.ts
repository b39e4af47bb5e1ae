import { randomBytes } from 'node:crypto';
import { sql, type Kysely, type RawBuilder, type Transaction } from 'kysely';
import { type Instant } from '../domain/deal/terms';
import { commitmentsOf } from './free-text';
import { commitmentOf, sha256 } from './hash';
import { canonicalJson } from '../domain/canonical-json';
import { type DB } from './types';

/**
 * What happened, to be written into one stream. `personal` holds personal data by field name, `texts` the ids of free texts by what they
 * say; the log gets commitments only (I-15). `entityId` is the legal entity whose fact this is, left out for facts of a whole deal (ADR 0019).
 */
export interface AuditEvent {
  readonly stream: string;
  readonly action: string;
  readonly subject: string;
  readonly actor: string;
  readonly at: Instant;
  readonly workflowId?: string;
  readonly entityId?: string;
  readonly details?: Record<string, unknown>;
  readonly personal?: Record<string, string>;
  readonly texts?: Record<string, string | null>;
}

/** A free text as the log knows it. */
export interface CommittedText {
  readonly id: string;
  readonly commitment: string;
}

/** What the hashed text of an entry says. `personal` maps field to commitment. */
export interface AuditContent {
  readonly stream: string;
  readonly sequence: number;
  readonly recordedAt: Instant;
  readonly at: Instant;
  readonly actor: string;
  readonly action: string;
  readonly subject: string;
  readonly workflowId?: string;
  readonly entityId?: string;
  readonly details?: Record<string, unknown>;
  readonly personal?: Record<string, string>;
  readonly texts?: Record<string, CommittedText>;
}

/** What the first entry of every chain follows. */
export const GENESIS = '0'.repeat(64);

/**
 * Appends one entry to its stream in the caller's transaction and returns its sequence (D9, I-09). Call it last: it takes the lock
 * on the head of the stream, which everybody else who writes to the stream waits for.
 */
export async function appendAudit(trx: Transaction<DB>, event: AuditEvent): Promise<number> {
  const { rows } = await sql<{ sequence: number }>`select ${await auditEntry(trx, event)} as sequence`.execute(trx);
  return rows[0]?.sequence ?? 0;
}

/** The expression that appends an entry, for a statement that does something else as well. Its personal values are written at once. */
export async function auditEntry(trx: Transaction<DB>, event: AuditEvent): Promise<RawBuilder<number>> {
  const personal = await commit(trx, event.personal ?? {});
  const texts = await named(trx, event.texts ?? {});
  const recordedAt = new Date().toISOString();
  const { stream, action, subject, actor, at, workflowId, entityId, details } = event;
  // Keys stand in the order of the alphabet, and Postgres puts the number of the entry between the two parts.
  const before = canonicalJson({ action, actor, at, details, entityId, personal, recordedAt });
  const after = canonicalJson({ stream, subject, texts, workflowId });
  const [head, tail] = [`${before.slice(0, -1)},"sequence":`, `,${after.slice(1)}`];
  return sql<number>`append_audit_entry(${stream}, ${entityId ?? null}, ${recordedAt}::timestamptz, ${head}, ${tail})`;
}

/** Hash of an entry: of the hash before it and the exact text of the entry. */
export function entryHash(previousHash: string, content: string): string {
  return sha256(`${previousHash}\n${content}`);
}

/** The personal values that commitments stand for, as far as they were not erased. For callers with the right to personal data. */
export async function personalValues(db: Kysely<DB>, commitments: readonly string[]): Promise<Map<string, string>> {
  if (commitments.length === 0) return new Map();
  const rows = await db.selectFrom('audit_personal').select(['commitment', 'value']).where('commitment', 'in', commitments).execute();
  return new Map(rows.map((row) => [row.commitment, row.value]));
}

async function commit(trx: Transaction<DB>, personal: Record<string, string>): Promise<Record<string, string> | undefined> {
  const rows = Object.entries(personal).map(([field, value]) => {
    const salt = randomBytes(16).toString('hex');
    return { commitment: commitmentOf(salt, field, value), salt, value, field };
  });
  if (rows.length === 0) return undefined;
  await trx.insertInto('audit_personal').values(rows).execute();
  return Object.fromEntries(rows.map((row) => [row.field, row.commitment]));
}

async function named(trx: Transaction<DB>, texts: Record<string, string | null>): Promise<Record<string, CommittedText> | undefined> {
  const told = Object.entries(texts).filter((each): each is [string, string] => each[1] !== null);
  if (told.length === 0) return undefined;
  const commitments = await commitmentsOf(
    trx,
    told.map(([, id]) => id),
  );
  return Object.fromEntries(told.map(([name, id]) => [name, { id, commitment: commitments.get(id) ?? '' }]));
}
