import { type Kysely, type Selectable } from 'kysely';
import { GENESIS } from './audit';
import { anchorHash, headsHash, type AnchorHead } from './audit-anchor';
import { type Damage, type Witness } from './audit-verify';
import { type StreamState } from './audit-verify-stream';
import { type DB } from './types';

const ANCHORS = '(anchors)';

interface Anchored {
  readonly damage: Damage[];
  /** What each stream reached at the anchor read last. */
  readonly reached: Map<string, number>;
  anchors: number;
  anchored: number;
  last: Witness | null;
}

type AnchorRow = Selectable<DB['audit_anchor']>;
type HeadRow = AnchorHead & { anchor_sequence: number; entry_hash: string | null };

/** Follows the chain of anchors and holds every head that an anchor names against the entry it speaks of (D9). */
export async function verifyAnchors(
  trx: Kysely<DB>,
  batch: number,
  streams: ReadonlyMap<string, StreamState>,
  witness: Witness | undefined,
): Promise<Omit<Anchored, 'reached'>> {
  const state: Anchored = { damage: [], reached: new Map(), anchors: 0, anchored: 0, last: null };
  let seen = witness === undefined;
  let after: number | null = null;
  for (;;) {
    const anchors: AnchorRow[] = await anchorsAfter(trx, after, batch);
    const heads = await headsOf(trx, anchors);
    for (const anchor of anchors) {
      followAnchor(state, anchor, heads.get(anchor.sequence) ?? [], streams);
      seen ||= anchor.sequence === witness?.sequence && anchor.hash === witness.hash;
    }
    after = anchors.at(-1)?.sequence ?? after;
    if (anchors.length < batch) break;
  }
  if (!seen && witness !== undefined) state.damage.push(lostWitness(witness, state.last));
  state.damage.push(...(await strayHeads(trx)));
  return state;
}

/** Where a stream is no longer what some anchor says of it; the first such place. */
export async function anchoredDamage(trx: Kysely<DB>, stream: StreamState): Promise<Damage[]> {
  const head = await trx
    .selectFrom('audit_anchor_head as a')
    .leftJoin('audit_entry as e', (join) => join.onRef('e.stream', '=', 'a.stream').onRef('e.sequence', '=', 'a.sequence'))
    .select(['a.anchor_sequence', 'a.stream', 'a.sequence', 'a.hash', 'e.hash as entry_hash'])
    .where('a.stream', '=', stream.stream)
    .where((eb) => eb.or([eb('e.hash', 'is', null), eb('e.hash', '!=', eb.ref('a.hash'))]))
    .orderBy('a.sequence')
    .limit(1)
    .executeTakeFirst();
  const damage = head === undefined ? null : headDamage(head, stream);
  return damage === null ? [] : [damage];
}

function followAnchor(state: Anchored, row: AnchorRow, heads: readonly HeadRow[], streams: ReadonlyMap<string, StreamState>): void {
  const problem = anchorDamage(state, row, heads);
  if (problem !== null) state.damage.push(problem);
  for (const head of heads) {
    state.reached.set(head.stream, head.sequence);
    const damage = headDamage(head, streams.get(head.stream));
    if (damage !== null) state.damage.push(damage);
  }
  state.anchors += 1;
  state.anchored = row.entries;
  state.last = { sequence: row.sequence, hash: row.hash };
}

function anchorDamage(state: Anchored, row: AnchorRow, heads: readonly HeadRow[]): Damage | null {
  const expected = (state.last?.sequence ?? 0) + 1;
  const found = (sequence: number, kind: Damage['kind'], detail: string): Damage => ({ stream: ANCHORS, sequence, kind, detail });
  const sealed = {
    ...row,
    sealedAt: new Date(row.sealed_at).toISOString(),
    headsHash: row.heads_hash,
    previousHash: row.previous_hash,
  };
  if (row.sequence < 1) return found(row.sequence, 'inserted', 'a number that no anchor ever gets');
  if (row.sequence !== expected) return found(expected, 'missing', `the next anchor is ${row.sequence}`);
  if (anchorHash(sealed) !== row.hash) return found(row.sequence, 'changed', 'the anchor does not give its hash');
  if (row.previous_hash !== (state.last?.hash ?? GENESIS)) {
    return found(Math.max(1, row.sequence - 1), 'changed', `anchor ${row.sequence} follows another one`);
  }
  if (headsHash(heads) !== row.heads_hash) return found(row.sequence, 'changed', 'the heads do not give the hash of the anchor');
  const grown = heads.reduce((sum, head) => sum + head.sequence - (state.reached.get(head.stream) ?? 0), 0);
  if (state.anchored + grown !== row.entries) return found(row.sequence, 'changed', 'the number of entries does not add up');
  const begun = heads.filter((head) => !state.reached.has(head.stream)).length;
  if (state.reached.size + begun !== row.streams) return found(row.sequence, 'changed', 'the number of streams does not add up');
  return null;
}

function headDamage(head: HeadRow, stream: StreamState | undefined): Damage | null {
  if (head.entry_hash === head.hash) return null;
  const last = stream?.last ?? 0;
  const by = `anchor ${head.anchor_sequence} knows entry ${head.sequence}`;
  if (last < head.sequence) return { stream: head.stream, sequence: last + 1, kind: 'cut-off', detail: by };
  if (head.entry_hash === null) return { stream: head.stream, sequence: head.sequence, kind: 'missing', detail: by };
  return {
    stream: head.stream,
    sequence: head.sequence,
    kind: 'changed',
    detail: `${by} with another hash; it or one before it was rewritten`,
  };
}

function lostWitness(witness: Witness, last: Witness | null): Damage {
  const isCutOff = (last?.sequence ?? 0) < witness.sequence;
  return {
    stream: ANCHORS,
    sequence: isCutOff ? (last?.sequence ?? 0) + 1 : witness.sequence,
    kind: isCutOff ? 'cut-off' : 'changed',
    detail: `the anchor noted as ${witness.sequence}:${witness.hash} is not there`,
  };
}

function anchorsAfter(trx: Kysely<DB>, after: number | null, limit: number): Promise<AnchorRow[]> {
  let query = trx.selectFrom('audit_anchor').selectAll().orderBy('sequence').limit(limit);
  if (after !== null) query = query.where('sequence', '>', after);
  return query.execute();
}

async function headsOf(trx: Kysely<DB>, anchors: readonly AnchorRow[]): Promise<Map<number, HeadRow[]>> {
  const heads = new Map<number, HeadRow[]>(anchors.map((anchor) => [anchor.sequence, []]));
  if (anchors.length === 0) return heads;
  const rows = await trx
    .selectFrom('audit_anchor_head as a')
    .leftJoin('audit_entry as e', (join) => join.onRef('e.stream', '=', 'a.stream').onRef('e.sequence', '=', 'a.sequence'))
    .select(['a.anchor_sequence', 'a.stream', 'a.sequence', 'a.hash', 'e.hash as entry_hash'])
    .where('a.anchor_sequence', '>=', Math.min(...heads.keys()))
    .where('a.anchor_sequence', '<=', Math.max(...heads.keys()))
    .execute();
  for (const row of rows) heads.get(row.anchor_sequence)?.push(row);
  return heads;
}

/** Heads without their anchor; a foreign key forbids them, unless somebody switched it off. */
async function strayHeads(trx: Kysely<DB>): Promise<Damage[]> {
  const row = await trx
    .selectFrom('audit_anchor_head as h')
    .leftJoin('audit_anchor as a', 'a.sequence', 'h.anchor_sequence')
    .select((eb) => eb.fn.min('h.anchor_sequence').as('first'))
    .where('a.sequence', 'is', null)
    .executeTakeFirst();
  const first = row?.first ?? null;
  return first === null ? [] : [{ stream: ANCHORS, sequence: first, kind: 'missing', detail: 'its heads are there, the anchor is not' }];
}
