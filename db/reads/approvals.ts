import { sql, type Kysely, type Selectable } from 'kysely';
import { openQuestions } from '../../domain/approval/questions';
import { weightOf } from '../../domain/approval/quorum';
import { type Approval } from '../../domain/approval/state';
import { storedApproval } from '../../domain/approval/stored';
import { type Instant } from '../../domain/deal/terms';
import { type Scope } from '../../domain/access';
import { textsOf } from '../free-text';
import { type DB } from '../types';
import { amountOrNull } from './amount';
import { type PreviousApproval, previousOf } from './approval-before';
import { talkInWords, talkOf, textsInTalk } from './approval-talk';
import { askedAt, placesOf } from './asked-places';
import { awaits, type Candidate, candidatesOf, type Electorate, readElectorate, takesPart } from './candidates';
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

export interface ApprovalDetail extends ApprovalSummary {
  readonly policyVersionId: string;
  readonly shown: unknown;
  readonly steps: readonly ApprovalStepView[];
  readonly decisions: readonly {
    readonly decisionId: string;
    readonly tier: number;
    readonly role: string;
    readonly decidedBy: string;
    readonly onBehalfOf: string | null;
    readonly verdict: 'grant' | 'refuse';
    readonly reason: string | null;
    readonly decidedAt: string;
  }[];
  readonly recusals: ReturnType<typeof talkInWords>['recusals'];
  readonly questions: ReturnType<typeof talkInWords>['questions'];
  readonly conditions: ReturnType<typeof talkInWords>['conditions'];
  /** When it ends by itself where nobody has decided it. */
  readonly expiresAt: string | null;
  readonly previous: PreviousApproval | null;
  /** What the approvers of the previous request were shown; undefined where there is none. */
  readonly shownBefore: unknown;
  /** The state by the rules, for answering a decision that comes late. */
  readonly record: Approval;
}

export interface ApprovalStepView {
  readonly tier: number;
  readonly role: string;
  readonly quorum: string;
  readonly voters: number;
  readonly need: number;
  /** What has been granted of it. Both are in weight, which is people where nobody has another. */
  readonly given: number;
  readonly weights: Readonly<Record<string, number>> | null;
  readonly groups: readonly { readonly name: string; readonly roles: readonly string[]; readonly need: number; readonly given: number }[];
  readonly state: string;
  readonly openedAt: string | null;
  readonly due: string | null;
  readonly closedAt: string | null;
  readonly candidates: readonly Candidate[];
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
type Row = Pick<Selectable<DB['approval']>, (typeof COLUMNS)[number]>;

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

/** One approval with what is shown, its steps, who may decide now, and the decisions; undefined where it is none of the reader's. */
export async function readApproval(db: Kysely<DB>, reader: ApprovalReader, approvalId: string): Promise<ApprovalDetail | undefined> {
  const row = await db.selectFrom('approval').selectAll().where('id', '=', approvalId).executeTakeFirst();
  if (row === undefined) return undefined;
  const record = storedApproval(row.record);
  const electorate = await readElectorate(db, reader.at);
  if (!mayRead(reader, electorate, record, row.entity_id)) return undefined;
  const steps = await db.selectFrom('approval_step').selectAll().where('approval_id', '=', approvalId).execute();
  const decisions = await db
    .selectFrom('approval_decision')
    .selectAll()
    .where('approval_id', '=', approvalId)
    .orderBy('decided_at')
    .orderBy('decision_id')
    .execute();
  const talk = await talkOf(db, [approvalId]);
  const before = await previousOf(db, row);
  const words = await textsOf(db, [
    row.outcome_reason_id,
    reasonShown(row.shown),
    reasonShown(before?.row.shown),
    ...decisions.map((each) => each.reason_id),
    ...textsInTalk(talk),
  ]);
  return {
    ...summary(row, words),
    policyVersionId: row.policy_version_id,
    shown: shownInWords(row.shown, words),
    steps: stepsOf(row, record, steps, electorate),
    decisions: decisions.map((each) => ({
      decisionId: each.decision_id,
      tier: each.tier,
      role: each.role,
      decidedBy: each.decided_by,
      onBehalfOf: each.on_behalf_of,
      verdict: each.verdict as 'grant' | 'refuse',
      reason: words.get(each.reason_id ?? '') ?? null,
      decidedAt: each.decided_at,
    })),
    ...talkInWords(talk, words, new Set(openQuestions(record).map(({ questionId }) => questionId))),
    expiresAt: record.expiresAt,
    previous: before?.previous ?? null,
    shownBefore: before === undefined ? undefined : shownInWords(before.row.shown, words),
    record,
  };
}

/** How approvals stand by the rules, by id; those that are none of the reader's are left out. */
export async function readRecords(db: Kysely<DB>, reader: ApprovalReader, approvalIds: readonly string[]): Promise<Map<string, Approval>> {
  if (approvalIds.length === 0) return new Map();
  const rows = await db.selectFrom('approval').select(['id', 'entity_id', 'record']).where('id', 'in', approvalIds).execute();
  const electorate = await readElectorate(db, reader.at);
  const records = rows.map(({ id, entity_id: entityId, record }) => ({ id, entityId, record: storedApproval(record) }));
  return new Map(records.flatMap(({ id, entityId, record }) => (mayRead(reader, electorate, record, entityId) ? [[id, record]] : [])));
}

function mayRead({ scope, userId }: ApprovalReader, electorate: Electorate, record: Approval, entityId: string): boolean {
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

function stepsOf(
  row: Pick<Row, 'entity_id'>,
  record: Approval,
  stored: readonly Selectable<DB['approval_step']>[],
  electorate: Electorate,
): ApprovalStepView[] {
  return record.tiers.flatMap(({ tier, steps }) =>
    steps.map((step): ApprovalStepView => {
      const kept = stored.find((each) => each.tier === tier && each.role === step.role);
      const grants = step.votes.filter(({ verdict }) => verdict === 'grant');
      return {
        tier,
        role: step.role,
        quorum: step.quorum,
        voters: kept?.voters ?? 0,
        need: kept?.need ?? 1,
        given: weightOf(grants),
        weights: step.weights,
        groups: step.groups.map(({ name, roles, grants: need }) => ({
          name,
          roles,
          need,
          given: grants.filter(({ groups }) => groups.includes(name)).length,
        })),
        state: kept?.state ?? 'waiting',
        openedAt: kept?.opened_at ?? null,
        due: kept?.due ?? null,
        closedAt: kept?.closed_at ?? null,
        candidates: candidatesOf(electorate, record, step, row.entity_id),
      };
    }),
  );
}

async function summaries(db: Kysely<DB>, rows: readonly Row[], page: PageRequest): Promise<Page<ApprovalSummary>> {
  const words = await textsOf(
    db,
    rows.map((row) => row.outcome_reason_id),
  );
  return pageOf(rows, page, keysOf, (row) => summary(row, words));
}

type Words = ReadonlyMap<string, string | null>;

/** What is shown binds to the id of a reason; its words are put in for the reader, and are gone once they were erased. */
function shownInWords(shown: unknown, words: Words): unknown {
  const id = reasonShown(shown);
  if (id === null) return shown;
  const rest = Object.entries(shown as Record<string, unknown>).filter(([name]) => name !== 'reasonId');
  return { ...Object.fromEntries(rest), reason: words.get(id) ?? null };
}

function reasonShown(shown: unknown): string | null {
  const id = typeof shown === 'object' && shown !== null && 'reasonId' in shown ? shown.reasonId : null;
  return typeof id === 'string' ? id : null;
}

/** Why an approval ended: in the words of whoever refused it or took it back; without words it ended with its subject. */
function outcomeReason(row: Row, words: Words): string | null {
  if (row.outcome_reason_id !== null) return words.get(row.outcome_reason_id) ?? null;
  if (row.state === 'expired') return 'nobody decided it in time';
  return row.state === 'withdrawn' ? 'cancelled with its subject' : null;
}

function summary(row: Row, words: Words): ApprovalSummary {
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
