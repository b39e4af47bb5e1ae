import { sql, type Kysely, type Selectable } from 'kysely';
import { type Approval } from '../../domain/approval/state';
import { storedApproval } from '../../domain/approval/stored';
import { type Instant } from '../../domain/deal/terms';
import { type Scope } from '../../domain/access';
import { textsOf, type Words } from '../free-text';
import { type DB } from '../types';
import { amountOrNull } from './amount';
import { askedAt, placesOf } from './asked-places';
import { awaits, type Electorate, readElectorate, takesPart } from './candidates';
import { keyAt, type Page, pageOf, type PageRequest } from './page';

/** Who reads: approvals of the entities in scope, and those in which the person takes part. `at` decides which delegations count. */
export interface ApprovalReader {
  readonly scope: Scope;
  readonly userId: string | null;
  readonly at: Instant;
}

export interface ApprovalSummary {
  readonly id: string;
  readonly subjectKind: string;
  readonly subjectId: string;
  readonly dealId: string | null;
  readonly entityId: string;
  readonly requestedBy: string;
  readonly state: Approval['kind'];
  readonly tier: number;
  readonly amount: string | null;
  readonly currency: string | null;
  readonly ruleIds: readonly string[];
  readonly shownHash: string;
  readonly openedAt: string;
  readonly due: string | null;
  readonly decidedAt: string | null;
  readonly reason: string | null;
}

export interface ApprovalFilter {
  readonly state?: string | undefined;
  readonly dealId?: string | undefined;
  readonly subjectKind?: string | undefined;
  /** Only those that await this reader's own decision or answer now. */
  readonly mine?: boolean;
}

const COLUMNS = [
  ...([
    'id',
    'subject_kind',
    'subject_id',
    'deal_id',
    'entity_id',
    'requested_by',
    'state',
    'tier',
    'amount_minor',
    'amount_currency',
  ] as const),
  ...(['rule_ids', 'shown_hash', 'opened_at', 'due', 'decided_at', 'outcome_reason_id', 'record'] as const),
] as const;
export type Row = Pick<Selectable<DB['approval']>, (typeof COLUMNS)[number]>;

/** Approvals, the last opened first. */
export async function listApprovals(
  db: Kysely<DB>,
  reader: ApprovalReader,
  filter: ApprovalFilter,
  page: PageRequest,
): Promise<Page<ApprovalSummary>> {
  if (filter.mine === true) return listMine(db, reader, filter, page);
  const rows = await filtered(db, filter, page)
    .where(inScope(reader.scope))
    .limit(page.limit + 1)
    .execute();
  return summaries(db, rows, page);
}

/** How approvals stand by the rules, by id; those that are none of the reader's are left out. */
export async function readRecords(db: Kysely<DB>, reader: ApprovalReader, approvalIds: readonly string[]): Promise<Map<string, Approval>> {
  if (approvalIds.length === 0) return new Map();
  const rows = await db.selectFrom('approval').select(['id', 'entity_id', 'record']).where('id', 'in', approvalIds).execute();
  const electorate = await readElectorate(db, reader.at);
  const records = rows.map(({ id, entity_id: entityId, record }) => ({ id, entityId, record: storedApproval(record) }));
  return new Map(records.flatMap(({ id, entityId, record }) => (mayRead(reader, electorate, record, entityId) ? [[id, record]] : [])));
}

/** Readers of its entity, and whoever takes part in it. */
export function mayRead({ scope, userId }: ApprovalReader, electorate: Electorate, record: Approval, entityId: string): boolean {
  if (scope.kind === 'group' || scope.entityIds.includes(entityId)) return true;
  return userId !== null && takesPart(electorate, record, entityId, userId);
}

/** Who is asked follows from roles and delegations by rule: pending approvals of the places where the person may be asked are sifted. */
async function listMine(db: Kysely<DB>, reader: ApprovalReader, filter: ApprovalFilter, page: PageRequest): Promise<Page<ApprovalSummary>> {
  const { userId } = reader;
  if (userId === null || (filter.state ?? 'pending') !== 'pending') return { rows: [], next: null };
  const electorate = await readElectorate(db, reader.at);
  const places = placesOf(electorate, userId);
  const wanted = (row: Row): boolean =>
    (filter.dealId === undefined || row.deal_id === filter.dealId) &&
    (filter.subjectKind === undefined || row.subject_kind === filter.subjectKind) &&
    awaits(electorate, storedApproval(row.record), row.entity_id, userId);
  const mine: Row[] = [];
  for (let after = page.after; mine.length <= page.limit;) {
    const rows = await lastOpened(selectRows(db).where('id', 'in', askedAt(places, after, page.limit + 1))).execute();
    mine.push(...rows.filter(wanted));
    const last = rows.at(-1);
    if (rows.length <= page.limit || last === undefined) break;
    after = keysOf(last);
  }
  return summaries(db, mine.slice(0, page.limit + 1), page);
}

/** What a list says of an approval; what approvers are shown is large, and not among it. */
function selectRows(db: Kysely<DB>) {
  return db.selectFrom('approval').select(COLUMNS);
}

function filtered(db: Kysely<DB>, filter: ApprovalFilter, page: PageRequest) {
  let query = selectRows(db);
  if (filter.state !== undefined) query = query.where('state', '=', filter.state);
  if (filter.dealId !== undefined) query = query.where('deal_id', '=', filter.dealId);
  if (filter.subjectKind !== undefined) query = query.where('subject_kind', '=', filter.subjectKind);
  if (page.after) query = query.where(sql<boolean>`(opened_at, id) < (${keyAt(page, 0)}::timestamptz, ${keyAt(page, 1)}::uuid)`);
  return lastOpened(query);
}

function lastOpened(query: ReturnType<typeof selectRows>) {
  return query.orderBy('opened_at', 'desc').orderBy('id', 'desc');
}

/** Said of the column itself, so that its index serves. */
function inScope(scope: Scope) {
  return scope.kind === 'group' ? sql<boolean>`true` : sql<boolean>`entity_id = any(${[...scope.entityIds]}::text[])`;
}

function keysOf(row: Row): string[] {
  return [row.opened_at, row.id];
}

async function summaries(db: Kysely<DB>, rows: readonly Row[], page: PageRequest): Promise<Page<ApprovalSummary>> {
  const words = await textsOf(
    db,
    rows.map((row) => row.outcome_reason_id),
  );
  return pageOf(rows, page, keysOf, (row) => summary(row, words));
}

/** Why an approval ended: in the words of whoever refused it or took it back; without words it ended with its subject. */
function outcomeReason(row: Row, words: Words): string | null {
  if (row.outcome_reason_id !== null) return words.get(row.outcome_reason_id) ?? null;
  if (row.state === 'expired') return 'nobody decided it in time';
  return row.state === 'withdrawn' ? 'cancelled with its subject' : null;
}

/** What every reader of an approval is told of it. */
export function summary(row: Row, words: Words): ApprovalSummary {
  return {
    id: row.id,
    subjectKind: row.subject_kind,
    subjectId: row.subject_id,
    dealId: row.deal_id,
    entityId: row.entity_id,
    requestedBy: row.requested_by,
    state: row.state as Approval['kind'],
    tier: row.tier,
    amount: row.amount_currency === null ? null : amountOrNull(row.amount_minor, row.amount_currency),
    currency: row.amount_currency,
    ruleIds: row.rule_ids,
    shownHash: row.shown_hash,
    openedAt: row.opened_at,
    due: row.due,
    decidedAt: row.decided_at,
    reason: outcomeReason(row, words),
  };
}
