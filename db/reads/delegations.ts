import { sql, type Kysely } from 'kysely';
import { type DelegationState } from '../../contracts/api/delegations';
import { type Scope } from '../../domain/access';
import { isActive } from '../../domain/approval/delegation';
import { type Instant } from '../../domain/deal/terms';
import { awayOf } from '../directory';
import { inEntities } from '../entity-scope';
import { type Words } from '../free-text';
import { type DB } from '../types';
import { amountOrNull } from './amount';
import { keyAt, type Page, pageOf, type PageRequest } from './page';
import { decisionOf, wordsOf } from './second-person';

/** Who reads: delegations of people at home in the entities in scope, and those in which the person takes part. */
export interface DelegationReader {
  readonly scope: Scope;
  readonly userId: string | null;
  /** Where the reader decides on delegations: there, and of the own ones, the reasons are told. */
  readonly decides: Scope | null;
  readonly at: Instant;
}

export interface DelegationFilter {
  readonly state?: DelegationState | undefined;
  readonly delegator?: string | undefined;
  readonly delegate?: string | undefined;
}

export type DelegationView = ReturnType<typeof viewOf>;

/** Delegations, the last to begin first. */
export async function listDelegations(
  db: Kysely<DB>,
  reader: DelegationReader,
  filter: DelegationFilter,
  page: PageRequest,
): Promise<Page<DelegationView>> {
  let query = visible(db, reader);
  if (filter.state !== undefined) query = query.where(stateAt(reader.at), '=', filter.state);
  if (filter.delegator !== undefined) query = query.where('given.delegator_id', '=', filter.delegator);
  if (filter.delegate !== undefined) query = query.where('given.delegate_id', '=', filter.delegate);
  if (page.after) query = query.where(sql<boolean>`(given.valid_from, given.id) < (${keyAt(page, 0)}::timestamptz, ${keyAt(page, 1)})`);
  const rows = await query
    .orderBy('given.valid_from', 'desc')
    .orderBy('given.id', 'desc')
    .limit(page.limit + 1)
    .execute();
  const words = await wordsTold(db, rows);
  return pageOf(
    rows,
    page,
    (row) => [row.valid_from, row.id],
    (row) => viewOf(row, words, reader.at),
  );
}

/** One delegation; undefined where it is none of the reader's. */
export async function readDelegation(db: Kysely<DB>, reader: DelegationReader, id: string): Promise<DelegationView | undefined> {
  const row = await visible(db, reader).where('given.id', '=', id).executeTakeFirst();
  return row === undefined ? undefined : viewOf(row, await wordsTold(db, [row]), reader.at);
}

function visible(db: Kysely<DB>, { scope, userId, decides, at }: DelegationReader) {
  const home = sql`array[delegator.entity_id]`;
  const takesPart = sql<boolean>`${userId}::text in (given.delegator_id, given.delegate_id)`;
  return db
    .selectFrom('delegation as given')
    .innerJoin('app_user as delegator', 'delegator.id', 'given.delegator_id')
    .innerJoin('app_user as delegate', 'delegate.id', 'given.delegate_id')
    .selectAll('given')
    .select(['delegator.entity_id as entityId', 'delegator.active as delegatorActive', 'delegate.active as delegateActive', awayOf])
    .select(stateAt(at).as('stateNow'))
    .select(sql<boolean>`coalesce(${takesPart}, false) or ${decides === null ? sql`false` : inEntities(decides, home)}`.as('seesReason'))
    .where((where) => where.or([inEntities(scope, home), takesPart]));
}

type Row = Awaited<ReturnType<ReturnType<typeof visible>['execute']>>[number];

function stateAt(at: Instant) {
  return sql<DelegationState>`case
    when given.state = 'requested' and given.valid_until <= ${at}::timestamptz then 'lapsed'
    when given.state = 'active' and given.valid_until <= ${at}::timestamptz then 'ended'
    when given.state = 'active' and given.valid_from > ${at}::timestamptz then 'scheduled'
    else given.state end`;
}

/** Only of those whose reasons the reader is told. */
function wordsTold(db: Kysely<DB>, rows: readonly Row[]): Promise<Words> {
  return wordsOf(
    db,
    rows.filter(({ seesReason }) => seesReason),
  );
}

function viewOf(row: Row, words: Words, at: Instant) {
  const period = { from: row.valid_from, until: row.valid_until };
  const asRule = {
    delegationId: row.id,
    delegator: row.delegator_id,
    delegate: row.delegate_id,
    role: row.role,
    ceiling: null,
    onlyDuring: row.away,
  };
  const isInForce = row.state === 'active' && row.delegatorActive && row.delegateActive;
  return {
    id: row.id,
    entityId: row.entityId,
    delegator: row.delegator_id,
    delegate: row.delegate_id,
    role: row.role,
    ceiling:
      row.ceiling_currency === null
        ? null
        : { amount: amountOrNull(row.ceiling_minor, row.ceiling_currency) ?? '', currency: row.ceiling_currency },
    ...period,
    whenAway: row.when_away,
    state: row.stateNow,
    countsNow: isInForce && isActive({ ...asRule, ...period }, at),
    source: row.requested_at === null ? ('master-data' as const) : ('person' as const),
    reason: row.seesReason ? (row.reason ?? words.get(row.reason_id ?? '') ?? null) : null,
    requestedAt: row.requested_at,
    ...decisionOf(row, words),
    closedBy: row.closed_by,
    closedAt: row.closed_at,
  };
}
