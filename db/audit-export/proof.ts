import { sql, type Kysely } from 'kysely';
import { type AuditExport } from '../../contracts/api/audit-export';
import { headHash, type AnchorHead } from '../audit-anchor';
import { type DB } from '../types';

type Proof = AuditExport['verification']['anchor'];

/** The last anchor that names a stream, with the hashes of all its heads: proof that it seals the stream, without naming the others. */
export async function proofOf(trx: Kysely<DB>, stream: string): Promise<Proof> {
  const last = await trx
    .selectFrom('audit_anchor_head')
    .select('anchor_sequence')
    .where('stream', '=', stream)
    .where('entry_hashes', 'is not', null)
    .orderBy('anchor_sequence', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (last === undefined) return null;
  const anchor = await trx.selectFrom('audit_anchor').selectAll().where('sequence', '=', last.anchor_sequence).executeTakeFirst();
  if (anchor === undefined) return null;
  const heads = await trx
    .selectFrom('audit_anchor_head')
    .select(['stream', 'sequence', 'hash'])
    .select(sql<string>`encode(sha256(convert_to(encode(entry_hashes, 'hex'), 'UTF8')), 'hex')`.as('entriesHash'))
    .where('anchor_sequence', '=', anchor.sequence)
    .execute();
  const own: (AnchorHead & { entriesHash: string }) | undefined = heads.find((head) => head.stream === stream);
  if (own === undefined) return null;
  return {
    sequence: anchor.sequence,
    sealedAt: new Date(anchor.sealed_at).toISOString(),
    streams: anchor.streams,
    entries: anchor.entries,
    headsHash: anchor.heads_hash,
    previousHash: anchor.previous_hash,
    hash: anchor.hash,
    head: { sequence: own.sequence, hash: own.hash, entriesHash: own.entriesHash },
    headHashes: heads.map(headHash).sort(),
  };
}
