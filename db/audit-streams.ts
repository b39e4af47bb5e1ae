import { type Kysely } from 'kysely';
import { type Scope } from '../domain/access';
import { firstPerStream, verifyChains, type Damage } from './audit-verify';
import { anchoredDamage } from './audit-verify-anchors';
import { beginStream } from './audit-verify-stream';
import { pageOf, type Page, type PageRequest } from './reads/page';
import { visibleNames } from './reads/visibility';
import { type DB } from './types';

/** How far a stream has come, and how far the last anchor that names it has sealed it; null where none has yet. */
export interface StreamHead {
  readonly stream: string;
  readonly entries: number;
  readonly hash: string;
  readonly anchor: { readonly sequence: number; readonly entries: number; readonly sealedAt: string } | null;
}

export interface StreamReport extends StreamHead {
  readonly valid: boolean;
  /** Personal values and texts that were erased, which is no damage (I-15). */
  readonly erased: number;
  readonly damage: Omit<Damage, 'stream'> | null;
}

/** The streams of a reader by name. */
export async function listStreams(db: Kysely<DB>, scope: Scope, page: PageRequest): Promise<Page<StreamHead>> {
  let query = heads(db)
    .orderBy('head.stream')
    .limit(page.limit + 1);
  const after = page.after?.[0];
  if (after !== undefined) query = query.where('head.stream', '>', after);
  if (scope.kind !== 'group') query = query.where('head.stream', 'in', visibleNames(scope, ['deal', 'approval']));
  return pageOf(await query.execute(), page, (row) => [row.stream], shown);
}

/**
 * Checks one stream in one snapshot: its chain, its head, what anchors say of it, and the values and texts behind its commitments. Whether
 * the anchors follow one another only a check of the whole log says. Undefined where there is no such stream.
 */
export async function verifyStream(db: Kysely<DB>, stream: string, options: { batch?: number } = {}): Promise<StreamReport | undefined> {
  return db
    .transaction()
    .setIsolationLevel('repeatable read')
    .setAccessMode('read only')
    .execute((trx) => verifyStreamWithin(trx, stream, options));
}

/** The same in the snapshot of the caller. */
export async function verifyStreamWithin(
  trx: Kysely<DB>,
  stream: string,
  options: { batch?: number } = {},
): Promise<StreamReport | undefined> {
  const chains = await verifyChains(trx, options.batch ?? 5_000, stream);
  const state = chains.streams.get(stream) ?? beginStream(stream);
  const damage = firstPerStream([...chains.damage, ...(await anchoredDamage(trx, state))]);
  const head = await heads(trx).where('head.stream', '=', stream).executeTakeFirst();
  if (head === undefined && damage.length === 0) return undefined;
  const [first] = damage.map(({ stream: _stream, ...found }) => found);
  const { anchor } = head === undefined ? { anchor: null } : shown(head);
  return {
    ...{ stream, entries: chains.entries, hash: state.hash, anchor },
    valid: first === undefined,
    erased: chains.commitments - chains.valued + chains.erasedTexts,
    damage: first ?? null,
  };
}

function heads(db: Kysely<DB>) {
  return db
    .selectFrom('audit_head as head')
    .leftJoinLateral(
      (eb) =>
        eb
          .selectFrom('audit_anchor_head as named')
          .innerJoin('audit_anchor as anchor', 'anchor.sequence', 'named.anchor_sequence')
          .select(['named.anchor_sequence', 'named.sequence as anchored', 'anchor.sealed_at'])
          .whereRef('named.stream', '=', 'head.stream')
          .orderBy('named.anchor_sequence', 'desc')
          .limit(1)
          .as('sealed'),
      (join) => join.onTrue(),
    )
    .select(['head.stream', 'head.sequence', 'head.hash', 'sealed.anchor_sequence', 'sealed.anchored', 'sealed.sealed_at']);
}

interface HeadRow {
  readonly stream: string;
  readonly sequence: number;
  readonly hash: string;
  readonly anchor_sequence: number | null;
  readonly anchored: number | null;
  readonly sealed_at: string | null;
}

function shown({ stream, sequence, hash, anchor_sequence, anchored, sealed_at }: HeadRow): StreamHead {
  const isSealed = anchor_sequence !== null && anchored !== null && sealed_at !== null;
  return {
    stream,
    entries: sequence,
    hash,
    anchor: isSealed ? { sequence: anchor_sequence, entries: anchored, sealedAt: sealed_at } : null,
  };
}
