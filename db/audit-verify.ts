import { type Kysely } from 'kysely';
import { type AuditContent } from './audit';
import { verifyAnchors } from './audit-verify-anchors';
import { damageOfBreak } from './audit-verify-break';
import { verifyHeads } from './audit-verify-heads';
import { verifyTexts } from './audit-verify-texts';
import { beginStream, followEntry, type ChainedEntry, type StreamState } from './audit-verify-stream';
import { commitmentOf } from './hash';
import { type DB } from './types';

/** Where the log is damaged. Streams in parentheses stand for the anchor chain and the table of personal values. */
export interface Damage {
  readonly stream: string;
  readonly sequence: number;
  readonly kind: 'changed' | 'missing' | 'inserted' | 'cut-off';
  readonly detail: string;
}

/** `unanchored` entries are not sealed yet; `erased` commitments have no value any more, which is no damage (I-15). */
export interface AuditReport {
  readonly valid: boolean;
  readonly streams: number;
  readonly entries: number;
  readonly anchors: number;
  readonly unanchored: number;
  readonly erased: number;
  readonly lastAnchor: { readonly sequence: number; readonly hash: string } | null;
  readonly damage: readonly Damage[];
}

/** An anchor noted outside the database, to be found again inside it. */
export interface Witness {
  readonly sequence: number;
  readonly hash: string;
}

/**
 * Checks the whole audit log in one snapshot and names the first damaged row of every stream (I-09, D9): chains, heads, anchors, and the
 * commitments that still have a value or a text. Reads in batches; keeps one small record per stream in memory. Writes nothing.
 */
export async function verifyAudit(db: Kysely<DB>, options: { batch?: number; witness?: Witness } = {}): Promise<AuditReport> {
  const batch = options.batch ?? 5_000;
  return db
    .transaction()
    .setIsolationLevel('repeatable read')
    .setAccessMode('read only')
    .execute(async (trx) => {
      const chains = await verifyChains(trx, batch);
      const anchors = await verifyAnchors(trx, batch, chains.streams, options.witness);
      const stray = await strayPersonal(trx, chains.valued);
      const damage = [...chains.damage, ...anchors.damage, ...stray];
      return {
        valid: damage.length === 0,
        streams: chains.streams.size,
        entries: chains.entries,
        anchors: anchors.anchors,
        unanchored: Math.max(0, chains.entries - anchors.anchored),
        erased: chains.commitments - chains.valued + chains.erasedTexts,
        lastAnchor: anchors.last,
        damage: firstPerStream(damage),
      };
    });
}

export interface Chains {
  readonly streams: Map<string, StreamState>;
  readonly damage: Damage[];
  entries: number;
  commitments: number;
  valued: number;
  erasedTexts: number;
}

/** Follows the chain of every stream, or of one alone, and holds heads, personal values and texts against it. */
export async function verifyChains(trx: Kysely<DB>, batch: number, only?: string): Promise<Chains> {
  const chains: Chains = { streams: new Map(), damage: [], entries: 0, commitments: 0, valued: 0, erasedTexts: 0 };
  let after: { stream: string; sequence: number } | null = null;
  for (;;) {
    const rows = await entriesAfter(trx, after, batch, only);
    for (const row of rows) {
      const state = chains.streams.get(row.stream) ?? beginStream(row.stream);
      chains.streams.set(row.stream, state);
      followEntry(state, row);
    }
    chains.entries += rows.length;
    await verifyCommitments(trx, rows, chains);
    const texts = await verifyTexts(trx, rows);
    chains.damage.push(...texts.damage);
    chains.erasedTexts += texts.erased;
    const last = rows.at(-1);
    if (last === undefined || rows.length < batch) break;
    after = { stream: last.stream, sequence: last.sequence };
  }
  for (const state of chains.streams.values()) {
    if (state.broken !== null) state.damage = await damageOfBreak(trx, state.stream, state.broken);
    if (state.damage !== null) chains.damage.push(state.damage);
  }
  chains.damage.push(...(await verifyHeads(trx, chains.streams, only)));
  return chains;
}

async function entriesAfter(
  trx: Kysely<DB>,
  after: { stream: string; sequence: number } | null,
  limit: number,
  only: string | undefined,
): Promise<ChainedEntry[]> {
  let query = trx.selectFrom('audit_entry').selectAll().orderBy('stream').orderBy('sequence').limit(limit);
  if (only !== undefined) query = query.where('stream', '=', only);
  if (after !== null) {
    query = query.where((eb) => eb(eb.refTuple('stream', 'sequence'), '>', eb.tuple(after.stream, after.sequence)));
  }
  return query.execute();
}

async function verifyCommitments(trx: Kysely<DB>, rows: readonly ChainedEntry[], chains: Chains): Promise<void> {
  const places = new Map<string, { stream: string; sequence: number; field: string }>();
  for (const { content, stream, sequence } of rows) {
    for (const [field, commitment] of Object.entries(personalOf(content))) places.set(commitment, { stream, sequence, field });
  }
  chains.commitments += places.size;
  if (places.size === 0) return;
  const values = await trx
    .selectFrom('audit_personal')
    .selectAll()
    .where('commitment', 'in', [...places.keys()])
    .execute();
  chains.valued += values.length;
  for (const { commitment, salt, value, field } of values) {
    const place = places.get(commitment);
    if (place === undefined || (place.field === field && commitmentOf(salt, field, value) === commitment)) continue;
    const { stream, sequence } = place;
    chains.damage.push({ stream, sequence, kind: 'changed', detail: `the value behind the commitment of ${place.field} was changed` });
  }
}

/** Values that no entry speaks of; named only when the counts differ, because the search is long. */
async function strayPersonal(trx: Kysely<DB>, valued: number): Promise<Damage[]> {
  const counted = await trx
    .selectFrom('audit_personal')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  if (counted.count === valued) return [];
  const stray = await trx
    .selectFrom('audit_personal as p')
    .select('p.commitment')
    .where((eb) =>
      eb.not(
        eb.exists(
          eb
            .selectFrom('audit_entry as e')
            .select('e.stream')
            .where((on) => on(on.fn('strpos', ['e.content', 'p.commitment']), '>', 0)),
        ),
      ),
    )
    .orderBy('p.commitment')
    .limit(1)
    .executeTakeFirst();
  if (stray === undefined) return [];
  return [{ stream: '(personal)', sequence: 0, kind: 'inserted', detail: `no entry speaks of the value behind ${stray.commitment}` }];
}

function personalOf(content: string): Record<string, string> {
  try {
    return (JSON.parse(content) as AuditContent).personal ?? {};
  } catch {
    return {};
  }
}

/** The lowest row per stream; of two findings on one row the one of the chain itself, which comes first. */
export function firstPerStream(damage: readonly Damage[]): Damage[] {
  const first = new Map<string, Damage>();
  for (const each of damage) {
    const known = first.get(each.stream);
    if (known === undefined || each.sequence < known.sequence) first.set(each.stream, each);
  }
  return [...first.values()].sort((a, b) => (a.stream < b.stream ? -1 : 1));
}
