import { sql, type Kysely } from 'kysely';
import { type PolicyKind } from '../../contracts/policies';
import { type Scope } from '../../domain/access';
import { inEntities } from '../entity-scope';
import { textsOf } from '../free-text';
import { type DB } from '../types';
import { keyAt, type Page, pageOf, type PageRequest } from './page';

export interface PolicyChangeSummary {
  readonly changeId: string;
  readonly kind: string;
  readonly action: 'introduce' | 'withdraw';
  readonly entityId: string | null;
  /** What a new version follows or refines; or the version that is taken back. */
  readonly basedOn: { readonly versionId: string; readonly version: number };
  readonly effectiveFrom: string;
  readonly contentHash: string | null;
  readonly reason: string | null;
  readonly approvalId: string;
  readonly requestedBy: string;
  readonly requestedAt: string;
  readonly state: 'requested' | 'applied' | 'refused' | 'withdrawn' | 'outdated';
  readonly settledAt: string | null;
  /** Why a granted change could not be applied any more. */
  readonly outcome: string | null;
  /** The version that it has brought. */
  readonly versionId: string | null;
}

export interface PolicyChangeDetail extends PolicyChangeSummary {
  readonly content: unknown;
}

/** Changes of a policy, the last asked for first: those of the group, and those of the reader's entities. */
export async function listPolicyChanges(
  db: Kysely<DB>,
  scope: Scope,
  kind: PolicyKind,
  state: string | undefined,
  page: PageRequest,
): Promise<Page<PolicyChangeSummary>> {
  let query = visible(db, scope, kind);
  if (state !== undefined) query = query.where('change.state', '=', state);
  if (page.after)
    query = query.where(sql<boolean>`(change.requested_at, change.id) < (${keyAt(page, 0)}::timestamptz, ${keyAt(page, 1)}::uuid)`);
  const rows = await query
    .orderBy('change.requested_at', 'desc')
    .orderBy('change.id', 'desc')
    .limit(page.limit + 1)
    .execute();
  const words = await textsOf(
    db,
    rows.map((row) => row.reason_id),
  );
  return pageOf(
    rows,
    page,
    (row) => [row.requested_at, row.id],
    (row) => summary(row, words),
  );
}

/** One change with what it says; undefined where the kind has none of this id for the reader. */
export async function readPolicyChange(
  db: Kysely<DB>,
  scope: Scope,
  kind: PolicyKind,
  id: string,
): Promise<PolicyChangeDetail | undefined> {
  const row = await visible(db, scope, kind).where('change.id', '=', id).executeTakeFirst();
  if (row === undefined) return undefined;
  return { ...summary(row, await textsOf(db, [row.reason_id])), content: row.content };
}

function visible(db: Kysely<DB>, scope: Scope, kind: PolicyKind) {
  return db
    .selectFrom('policy_change as change')
    .innerJoin('policy_version as base', 'base.id', 'change.based_on_id')
    .leftJoin('policy_version as made', 'made.change_id', 'change.id')
    .selectAll('change')
    .select(['base.version as baseVersion', 'made.id as madeId'])
    .where('change.kind', '=', kind)
    .where((eb) => eb.or([eb('change.entity_id', 'is', null), inEntities(scope, sql`array[change.entity_id]`)]));
}

type Row = Awaited<ReturnType<ReturnType<typeof visible>['executeTakeFirstOrThrow']>>;

function summary(row: Row, words: ReadonlyMap<string, string | null>): PolicyChangeSummary {
  return {
    changeId: row.id,
    kind: row.kind,
    action: row.action as PolicyChangeSummary['action'],
    entityId: row.entity_id,
    basedOn: { versionId: row.based_on_id, version: row.baseVersion },
    effectiveFrom: row.effective_from,
    contentHash: row.content_hash,
    reason: words.get(row.reason_id) ?? null,
    approvalId: row.approval_id,
    requestedBy: row.requested_by,
    requestedAt: row.requested_at,
    state: row.state as PolicyChangeSummary['state'],
    settledAt: row.settled_at,
    outcome: row.outcome,
    versionId: row.madeId,
  };
}
