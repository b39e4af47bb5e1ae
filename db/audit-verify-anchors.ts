import { sql, type Kysely, type RawBuilder, type Selectable } from 'kysely';
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
/** `differs` where an entry that it sealed has another hash, or is not there. */
type HeadRow = AnchorHead & { readonly anchorSequence: number; readonly differs: boolean };

/** Follows the chain of anchors and holds every head that an anchor names and every entry that it sealed against what is there (D9, R-240). */
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
      await followAnchor(trx, state, anchor, heads.get(anchor.sequence) ?? [], streams);
      seen ||= anchor.sequence === witness?.sequence && anchor.hash === witness.hash;
    }
    after = anchors.at(-1)?.sequence ?? after;
    if (anchors.length < batch) break;
  }
  if (!seen && witness !== undefined) state.damage.push(lostWitness(witness, state.last));
  state.damage.push(...(await strayHeads(trx)));
  // Of two findings on one anchor that of the tip says more.
  state.damage.unshift(...(await tipDamage(trx, state.last)));
  return state;
}

/** Where a stream is no longer what some anchor says of it; the first such place. */
export async function anchoredDamage(trx: Kysely<DB>, stream: StreamState): Promise<Damage[]> {
  for (const head of await headRows(trx, sql`named.stream = ${stream.stream}`)) {
    if (!head.differs) continue;
    const { anchorSequence } = head;
    const anchor = await trx.selectFrom('audit_anchor').selectAll().where('sequence', '=', anchorSequence).executeTakeFirst();
    const heads = await headRows(trx, sql`named.anchor_sequence = ${anchorSequence}`);
    if (anchor !== undefined && headsHash(heads) === anchor.heads_hash) return [await headDamage(trx, head, stream)];
  }
  return [];
}

/** What an anchor says of its heads counts as long as they give its hash: else they are what was changed. */
async function followAnchor(
  trx: Kysely<DB>,
  state: Anchored,
  row: AnchorRow,
  heads: readonly HeadRow[],
  streams: ReadonlyMap<string, StreamState>,
): Promise<void> {
  const problem = anchorDamage(state, row, heads);
  if (problem !== null) state.damage.push(problem);
  const counts = headsHash(heads) === row.heads_hash;
  for (const head of heads) {
    state.reached.set(head.stream, head.sequence);
    if (counts && head.differs) state.damage.push(await headDamage(trx, head, streams.get(head.stream)));
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

async function headDamage(trx: Kysely<DB>, head: HeadRow, stream: StreamState | undefined): Promise<Damage> {
  const by = `anchor ${head.anchorSequence} knows entry`;
  const at = await firstDifference(trx, head);
  const last = stream?.last ?? 0;
  const found = (sequence: number, kind: Damage['kind'], detail: string): Damage => ({ stream: head.stream, sequence, kind, detail });
  if (at.sequence > last) return found(last + 1, 'cut-off', `${by} ${head.sequence}`);
  if (!at.isThere) return found(at.sequence, 'missing', `${by} ${at.sequence}`);
  const or = head.entriesHash === null ? '; it or one before it was rewritten' : '';
  return found(at.sequence, 'changed', `${by} ${at.sequence} with another hash${or}`);
}

/** The first entry that is not what the head sealed; of a head without hashes of entries only the last one is known. */
async function firstDifference(trx: Kysely<DB>, head: HeadRow): Promise<{ sequence: number; isThere: boolean }> {
  const { rows } = await sql<{ sequence: number; isThere: boolean }>`
    with sealed as (
      select stream, sequence, hash, encode(entry_hashes, 'hex') as hashes from audit_anchor_head
       where anchor_sequence = ${head.anchorSequence} and stream = ${head.stream})
    select place.sequence, e.hash is not null as "isThere"
      from sealed
      cross join lateral generate_series(sealed.sequence - greatest(coalesce(length(sealed.hashes) / 64, 1), 1) + 1, sealed.sequence) as place (sequence)
      left join audit_entry e on e.stream = sealed.stream and e.sequence = place.sequence
     where e.hash is distinct from
           coalesce(substr(sealed.hashes, length(sealed.hashes) - 64 * (sealed.sequence - place.sequence + 1)::integer + 1, 64), sealed.hash)
     order by 1 limit 1`.execute(trx);
  return rows[0] ?? { sequence: head.sequence, isThere: true };
}

/** The last anchor is the one that the tip knows: else anchors were cut off, or put behind it. */
async function tipDamage(trx: Kysely<DB>, last: Witness | null): Promise<Damage[]> {
  const tip = await trx.selectFrom('audit_anchor_tip').selectAll().executeTakeFirst();
  const reached = last?.sequence ?? 0;
  const found = (sequence: number, kind: Damage['kind'], detail: string): Damage[] => [{ stream: ANCHORS, sequence, kind, detail }];
  if (tip === undefined) return found(reached, 'missing', 'nothing says which anchor is the last');
  if (tip.sequence > reached) return found(reached + 1, 'cut-off', `the last anchor is ${tip.sequence}`);
  if (tip.sequence < reached) return found(tip.sequence + 1, 'inserted', `the last anchor is ${tip.sequence}`);
  return tip.hash === (last?.hash ?? GENESIS) ? [] : found(reached, 'changed', 'the last anchor has another hash');
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
  const [least, most] = [Math.min(...heads.keys()), Math.max(...heads.keys())];
  const rows = await headRows(trx, sql`named.anchor_sequence between ${least} and ${most}`);
  for (const row of rows) heads.get(row.anchorSequence)?.push(row);
  return heads;
}

/** Heads that anchors name, with what became of the entries they sealed. */
async function headRows(trx: Kysely<DB>, which: RawBuilder<unknown>): Promise<HeadRow[]> {
  const { rows } = await sql<HeadRow>`
    select named.anchor_sequence as "anchorSequence", named.stream, named.sequence, named.hash, sealed.hash as "entriesHash",
           last.hash is distinct from named.hash or sealed.hashes is distinct from present.hashes as differs
      from audit_anchor_head named
      left join audit_entry last on last.stream = named.stream and last.sequence = named.sequence
      cross join lateral (
        select encode(named.entry_hashes, 'hex') as hashes, encode(sha256(convert_to(encode(named.entry_hashes, 'hex'), 'UTF8')), 'hex') as hash) sealed
      left join lateral (
        select coalesce(string_agg(e.hash, '' order by e.sequence), '') as hashes from audit_entry e
         where e.stream = named.stream and e.sequence <= named.sequence and e.sequence > named.sequence - length(named.entry_hashes) / 32
           and named.entry_hashes is not null) present on named.entry_hashes is not null
     where ${which}
     order by named.sequence, named.anchor_sequence`.execute(trx);
  return rows;
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
