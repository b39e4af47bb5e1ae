import { type Kysely } from 'kysely';
import { GENESIS } from './audit';
import { type Damage } from './audit-verify';
import { type DB } from './types';

/** A row that does not follow the one before it, and what its text calls itself. */
export interface Break {
  /** The number of the row before; 0 where there is none. */
  readonly after: number;
  readonly sequence: number;
  readonly hash: string;
  readonly previousHash: string;
  readonly calledStream: string;
  readonly called: number;
}

/** Names the damaged one of two rows that do not follow one another. The rest of the stream is the witness. */
export async function damageOfBreak(trx: Kysely<DB>, stream: string, broken: Break): Promise<Damage> {
  const { after, sequence, hash, previousHash, called } = broken;
  const found = (at: number, kind: Damage['kind'], detail: string): Damage => ({ stream, sequence: at, kind, detail });
  if (sequence !== after + 1) {
    const head = await headOf(trx, stream);
    const isBeyond = head !== undefined && head.sequence <= after;
    if (isBeyond) return found(sequence, 'inserted', `the head of the stream is entry ${head.sequence}`);
    return found(after + 1, 'missing', `the next row is entry ${sequence}`);
  }
  const repeated = await rowOf(trx, stream, sequence, hash);
  if (repeated !== null) return found(sequence, 'inserted', `it repeats entry ${repeated}`);
  if (called > sequence) return found(sequence, 'missing', `the row holds entry ${called}`);
  if (called < sequence) {
    const before = previousHash === GENESIS ? 0 : await rowOf(trx, stream, sequence, previousHash);
    if (before !== null && called === before + 1) return found(called, 'inserted', `entry ${sequence} follows entry ${before}`);
    return found(sequence, 'inserted', `the entry calls itself ${called}`);
  }
  if (after > 0 && (await isFollowed(trx, stream, sequence, hash)))
    return found(after, 'changed', `entry ${sequence} follows another text`);
  return found(sequence, 'changed', after === 0 ? 'the first entry follows something' : `it does not follow entry ${after}`);
}

/** The number of the row of this hash before another row. */
async function rowOf(trx: Kysely<DB>, stream: string, before: number, hash: string): Promise<number | null> {
  const row = await trx
    .selectFrom('audit_entry')
    .select('sequence')
    .where('stream', '=', stream)
    .where('sequence', '<', before)
    .where('hash', '=', hash)
    .orderBy('sequence')
    .limit(1)
    .executeTakeFirst();
  return row?.sequence ?? null;
}

/** True where the next row, or the head behind the last one, knows the row by this hash: then it is the one that was written there. */
async function isFollowed(trx: Kysely<DB>, stream: string, sequence: number, hash: string): Promise<boolean> {
  const next = await trx
    .selectFrom('audit_entry')
    .select('previous_hash')
    .where('stream', '=', stream)
    .where('sequence', '>', sequence)
    .orderBy('sequence')
    .limit(1)
    .executeTakeFirst();
  return (next?.previous_hash ?? (await headOf(trx, stream))?.hash) === hash;
}

function headOf(trx: Kysely<DB>, stream: string) {
  return trx.selectFrom('audit_head').selectAll().where('stream', '=', stream).executeTakeFirst();
}
