import { sql, type Kysely } from 'kysely';
import { type BreakGlassState } from '../../contracts/api/break-glass';
import { type Scope } from '../../domain/access';
import { type Instant } from '../../domain/deal/terms';
import { inEntities } from '../entity-scope';
import { type Words } from '../free-text';
import { type DB } from '../types';
import { keyAt, type Page, pageOf, type PageRequest } from './page';
import { decisionOf, wordsOf } from './second-person';

/** Who reads: what is decided in the entities in scope (null = none), and what the person asked for. */
export interface BreakGlassReader {
  readonly scope: Scope | null;
  readonly userId: string | null;
  readonly at: Instant;
}

export interface BreakGlassFilter {
  readonly state?: BreakGlassState | undefined;
  readonly approvalId?: string | undefined;
}

export type BreakGlassView = ReturnType<typeof viewOf>;

/** Exceptions from the separation of duties, the last asked for first. */
export async function listBreakGlass(
  db: Kysely<DB>,
  reader: BreakGlassReader,
  filter: BreakGlassFilter,
  page: PageRequest,
): Promise<Page<BreakGlassView>> {
  let query = visible(db, reader);
  if (filter.state !== undefined) query = query.where(stateAt(reader.at), '=', filter.state);
  if (filter.approvalId !== undefined) query = query.where('approval_id', '=', filter.approvalId);
  if (page.after) query = query.where(sql<boolean>`(requested_at, id) < (${keyAt(page, 0)}::timestamptz, ${keyAt(page, 1)})`);
  const rows = await query
    .orderBy('requested_at', 'desc')
    .orderBy('id', 'desc')
    .limit(page.limit + 1)
    .execute();
  const words = await wordsOf(db, rows);
  return pageOf(
    rows,
    page,
    (row) => [row.requested_at, row.id],
    (row) => viewOf(row, words),
  );
}

/** One of them; undefined where it is none of the reader's. */
export async function readBreakGlass(db: Kysely<DB>, reader: BreakGlassReader, id: string): Promise<BreakGlassView | undefined> {
  const row = await visible(db, reader).where('id', '=', id).executeTakeFirst();
  return row === undefined ? undefined : viewOf(row, await wordsOf(db, [row]));
}

function visible(db: Kysely<DB>, { scope, userId, at }: BreakGlassReader) {
  return db
    .selectFrom('break_glass')
    .selectAll()
    .select(stateAt(at).as('stateNow'))
    .where((where) =>
      where.or([
        scope === null ? sql<boolean>`false` : inEntities(scope, sql`array[entity_id]`),
        sql<boolean>`coalesce(user_id = ${userId}::text, false)`,
      ]),
    );
}

type Row = Awaited<ReturnType<ReturnType<typeof visible>['execute']>>[number];

function stateAt(at: Instant) {
  return sql<BreakGlassState>`case when state in ('requested', 'granted') and lapses_at <= ${at}::timestamptz then 'lapsed' else state end`;
}

function viewOf(row: Row, words: Words) {
  return {
    id: row.id,
    approvalId: row.approval_id,
    entityId: row.entity_id,
    userId: row.user_id,
    ruleIds: row.rule_ids,
    state: row.stateNow,
    reason: words.get(row.reason_id) ?? null,
    requestedAt: row.requested_at,
    lapsesAt: row.lapses_at,
    ...decisionOf(row, words),
    decisionId: row.decision_id,
    usedAt: row.used_at,
  };
}
