import { sql, type Kysely, type Transaction } from 'kysely';
import { GENESIS } from './audit';
import { sha256 } from './hash';
import { canonicalJson } from '../domain/canonical-json';
import { type DB } from './types';

/** One link of the global chain over all streams (D9). `streams` and `entries` count everything sealed so far. */
export interface Anchor {
  readonly sequence: number;
  readonly sealedAt: string;
  readonly streams: number;
  readonly entries: number;
  readonly headsHash: string;
  readonly previousHash: string;
}

/** How far an anchor seals a stream. `entriesHash` is over the hashes of the entries since the anchor before; null where those were not kept yet. */
export interface AnchorHead {
  readonly stream: string;
  readonly sequence: number;
  readonly hash: string;
  readonly entriesHash: string | null;
}

interface MovedHead extends AnchorHead {
  readonly before: number;
  /** Hashes of the entries since the anchor before, one after the other, in hex. */
  readonly entryHashes: string;
}

/**
 * Seals an anchor over the heads that moved since the one before; null if none moved or another sealer is at work. What an anchor
 * covers can no longer be cut off or rewritten without being found (I-09).
 */
export async function sealAnchor(db: Kysely<DB>): Promise<(Anchor & { readonly hash: string }) | null> {
  return db.transaction().execute(async (trx) => {
    const lock = await sql<{ mine: boolean }>`select pg_try_advisory_xact_lock(hashtextextended('audit sealer', 0)) as mine`.execute(trx);
    if (lock.rows[0]?.mine !== true) return null;
    const last = await trx.selectFrom('audit_anchor').selectAll().orderBy('sequence', 'desc').limit(1).executeTakeFirst();
    const moved = await movedHeads(trx, last?.sequence ?? 0);
    if (moved.length === 0) return null;
    const anchor: Anchor = {
      sequence: (last?.sequence ?? 0) + 1,
      sealedAt: new Date().toISOString(),
      streams: (last?.streams ?? 0) + moved.filter((head) => head.before === 0).length,
      entries: (last?.entries ?? 0) + moved.reduce((sum, head) => sum + head.sequence - head.before, 0),
      headsHash: headsHash(moved),
      previousHash: last?.hash ?? GENESIS,
    };
    await insertAnchor(trx, anchor, moved);
    return { ...anchor, hash: anchorHash(anchor) };
  });
}

/** Hash of an anchor, of all its fields. */
export function anchorHash(anchor: Anchor): string {
  const { sequence, sealedAt, streams, entries, previousHash } = anchor;
  return sha256(canonicalJson({ sequence, sealedAt, streams, entries, headsHash: anchor.headsHash, previousHash }));
}

/** Hash of the heads that an anchor names, whatever order they come in. */
export function headsHash(heads: readonly AnchorHead[]): string {
  if (heads.some(({ entriesHash }) => entriesHash === null)) {
    return sha256(heads.map(({ stream, sequence, hash }) => canonicalJson([stream, sequence, hash])).sort().join('\n')); // prettier-ignore
  }
  return hashOfHeadHashes(heads.map(headHash));
}

/** Hash of one head: an anchor that lists these for all its heads proves one of them without naming the others. */
export function headHash({ stream, sequence, hash, entriesHash }: AnchorHead): string {
  return sha256(canonicalJson([stream, sequence, hash, entriesHash]));
}

export function hashOfHeadHashes(hashes: readonly string[]): string {
  return sha256([...hashes].sort().join('\n'));
}

/** Heads beyond what is anchored; the sum over all heads tells cheaply that nothing moved. */
async function movedHeads(trx: Transaction<DB>, lastAnchor: number): Promise<MovedHead[]> {
  const counted = await sql<{ moved: boolean }>`
    select coalesce((select sum(sequence) from audit_head), 0)
      <> coalesce((select entries from audit_anchor where sequence = ${lastAnchor}), 0) as moved`.execute(trx);
  if (counted.rows[0]?.moved !== true) return [];
  const moved = await sql<Omit<MovedHead, 'entriesHash'>>`
    select h.stream, h.sequence, h.hash, coalesce(a.sequence, 0)::bigint as before,
           coalesce((
             select string_agg(case when e.hash ~ '^[0-9a-f]{64}$' then e.hash else repeat('0', 64) end, '' order by e.sequence)
               from audit_entry e
              where e.stream = h.stream and e.sequence > coalesce(a.sequence, 0) and e.sequence <= h.sequence), '') as "entryHashes"
      from audit_head h
      left join lateral (
        select sequence from audit_anchor_head where stream = h.stream order by anchor_sequence desc limit 1
      ) a on true
     where h.sequence > coalesce(a.sequence, 0)
     order by h.stream`.execute(trx);
  return moved.rows.map((head) => ({ ...head, entriesHash: sha256(head.entryHashes) }));
}

async function insertAnchor(trx: Transaction<DB>, anchor: Anchor, heads: readonly MovedHead[]): Promise<void> {
  await trx
    .insertInto('audit_anchor')
    .values({
      sequence: anchor.sequence,
      sealed_at: anchor.sealedAt,
      streams: anchor.streams,
      entries: anchor.entries,
      heads_hash: anchor.headsHash,
      previous_hash: anchor.previousHash,
      hash: anchorHash(anchor),
    })
    .execute();
  await sql`
    insert into audit_anchor_head (anchor_sequence, stream, sequence, hash, entry_hashes)
    select ${anchor.sequence}::bigint, stream, sequence, hash, decode(entry_hashes, 'hex') from unnest(
      ${heads.map((head) => head.stream)}::text[], ${heads.map((head) => head.sequence)}::bigint[], ${heads.map((head) => head.hash)}::text[],
      ${heads.map((head) => head.entryHashes)}::text[]) as moved (stream, sequence, hash, entry_hashes)`.execute(trx);
}
