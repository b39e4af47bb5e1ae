import { type Kysely } from 'kysely';
import { type Damage } from './audit-verify';
import { type StreamState } from './audit-verify-stream';
import { type DB } from './types';

/** Holds the heads of all streams, or of one alone, against the entries that were read. */
export async function verifyHeads(trx: Kysely<DB>, streams: ReadonlyMap<string, StreamState>, only: string | undefined): Promise<Damage[]> {
  const query = trx.selectFrom('audit_head').selectAll();
  const stored = await (only === undefined ? query : query.where('stream', '=', only)).execute();
  const heads = new Map(stored.map((head) => [head.stream, head]));
  const damage: Damage[] = [];
  for (const [stream, { last, hash }] of streams) {
    const head = heads.get(stream);
    if (head === undefined || head.sequence < last) damage.push(await headBehind(trx, stream, head?.sequence ?? null));
    else if (head.sequence === last && head.hash !== hash) {
      damage.push({ stream, sequence: last, kind: 'changed', detail: 'the head of the stream has another hash' });
    }
  }
  for (const head of heads.values()) {
    const last = streams.get(head.stream)?.last ?? 0;
    if (head.sequence > last) {
      damage.push({ stream: head.stream, sequence: last + 1, kind: 'cut-off', detail: `the head of the stream is entry ${head.sequence}` });
    }
  }
  return damage;
}

/** There are entries that the head does not know: they were inserted, unless an anchor knows them; then it is the head that was changed. */
async function headBehind(trx: Kysely<DB>, stream: string, head: number | null): Promise<Damage> {
  const beyond = (table: 'audit_entry' | 'audit_anchor_head') =>
    trx
      .selectFrom(table)
      .select((eb) => eb.fn.min('sequence').as('sequence'))
      .where('stream', '=', stream)
      .where('sequence', '>', head ?? 0)
      .executeTakeFirst();
  const sequence = (await beyond('audit_entry'))?.sequence ?? (head ?? 0) + 1;
  const isKnown = ((await beyond('audit_anchor_head'))?.sequence ?? null) !== null;
  if (head === null) {
    const detail = isKnown ? 'the head of the stream is gone' : 'the stream has entries and no head';
    return { stream, sequence, kind: isKnown ? 'missing' : 'inserted', detail };
  }
  const detail = isKnown ? `the head of the stream was set back to entry ${head}` : `the head of the stream is entry ${head}`;
  return { stream, sequence, kind: isKnown ? 'changed' : 'inserted', detail };
}
