import { sql, type Kysely, type Selectable } from 'kysely';
import { type DealTerms, type LineTerms } from '../../domain/deal/terms';
import { type Scope } from '../../domain/access';
import { inEntities } from '../entity-scope';
import { textsOf } from '../free-text';
import { type DB } from '../types';
import { amountOrNull } from './amount';
import { type MilestoneView, milestoneView } from './milestones';

export interface LineDetail {
  readonly id: string;
  readonly dealId: string;
  readonly lineId: string;
  readonly name: string;
  readonly engagementModel: string;
  readonly sellingEntityId: string;
  readonly billToId: string;
  readonly currency: string;
  readonly serviceLine: string;
  readonly practice: string;
  readonly region: string;
  readonly startDate: string;
  readonly endDate: string;
  readonly state: 'planned' | 'active' | 'billing-complete' | 'finished' | 'cancelled';
  readonly stoppedOn: string | null;
  readonly contractVersion: number;
  /** Of the contract version in force; null where that version does not have the line. */
  readonly terms: LineTerms | null;
  readonly milestones: readonly MilestoneView[];
  readonly billingPlan: readonly BillingPlanItemView[];
  /** Decisions of finance not to bill, in their order. */
  readonly waivers: readonly WaiverView[];
}

/** `period` and `hours` are of waived overage, `amount` of other items. */
interface WaiverView {
  readonly waiverId: string;
  readonly kind: string;
  readonly period: string | null;
  readonly hours: string | null;
  readonly amount: string | null;
  readonly reasonCode: string;
  readonly decidedBy: string;
  readonly decidedAt: string;
}

interface BillingPlanItemView {
  readonly itemId: string;
  readonly itemKey: string;
  readonly kind: string;
  readonly period: string | null;
  readonly reference: string;
  readonly milestoneId: string | null;
  readonly draftAt: string | null;
  readonly issueDate: string | null;
  readonly amount: string | null;
  readonly currency: string;
  readonly state: 'planned' | 'billed' | 'nothing-to-bill' | 'void';
  readonly blockers: unknown;
  readonly blockedUntil: string | null;
  readonly heldReason: string | null;
  readonly settledAt: string | null;
}

/** One contract line with its terms, milestones and billing plan; undefined where the reader has none of this id. */
export async function readLine(db: Kysely<DB>, scope: Scope, contractLineId: string): Promise<LineDetail | undefined> {
  const row = await visibleLine(db, scope, contractLineId);
  if (row === undefined) return undefined;
  const version = await db
    .selectFrom('contract_version')
    .select('terms')
    .where('deal_id', '=', row.deal_id)
    .where('version', '=', row.contract_version)
    .executeTakeFirst();
  const milestones = await db
    .selectFrom('milestone')
    .selectAll()
    .where('contract_line_id', '=', contractLineId)
    .orderBy('planned_date')
    .orderBy('milestone_id')
    .execute();
  const plan = await db
    .selectFrom('billing_plan_item')
    .selectAll()
    .where('contract_line_id', '=', contractLineId)
    .orderBy(sql`issue_date asc nulls last, item_key`)
    .execute();
  const words = await textsOf(
    db,
    plan.map((item) => item.held_reason_id),
  );
  const terms = version?.terms as DealTerms | undefined;
  return {
    id: row.id,
    dealId: row.deal_id,
    lineId: row.line_id,
    name: row.name,
    engagementModel: row.engagement_model,
    sellingEntityId: row.selling_entity_id,
    billToId: row.bill_to_id,
    currency: row.currency,
    serviceLine: row.service_line,
    practice: row.practice,
    region: row.region,
    startDate: row.start_date,
    endDate: row.end_date,
    state: row.state as LineDetail['state'],
    stoppedOn: row.stopped_on,
    contractVersion: row.contract_version,
    terms: terms?.lines.find((line) => line.lineId === row.line_id) ?? null,
    milestones: milestones.map(milestoneView),
    billingPlan: plan.map((item) => planItem(item, words)),
    waivers: await waiversOf(db, contractLineId),
  };
}

async function waiversOf(db: Kysely<DB>, contractLineId: string): Promise<WaiverView[]> {
  const rows = await db
    .selectFrom('billing_waiver')
    .selectAll()
    .where('contract_line_id', '=', contractLineId)
    .orderBy('decided_at')
    .orderBy('id')
    .execute();
  return rows.map((row) => ({
    waiverId: row.id,
    kind: row.kind,
    period: row.period,
    hours: row.hours,
    amount: amountOrNull(row.amount_minor, row.currency ?? ''),
    reasonCode: row.reason_code,
    decidedBy: row.decided_by,
    decidedAt: row.decided_at,
  }));
}

/** Where a line stands, for a route that acts on it; undefined where the reader has none of this id. */
export async function readLineState(
  db: Kysely<DB>,
  scope: Scope,
  contractLineId: string,
): Promise<{ contractLineId: string; state: LineDetail['state'] } | undefined> {
  const row = await visibleLine(db, scope, contractLineId);
  return row && { contractLineId: row.id, state: row.state as LineDetail['state'] };
}

/** A line is seen by its selling entity, and by the lead entity of its deal. */
function visibleLine(db: Kysely<DB>, scope: Scope, contractLineId: string) {
  return db
    .selectFrom('contract_line as line')
    .innerJoin('deal', 'deal.id', 'line.deal_id')
    .selectAll('line')
    .where('line.id', '=', contractLineId)
    .where(inEntities(scope, sql`array[line.selling_entity_id, deal.lead_entity_id]`))
    .executeTakeFirst();
}

function planItem(row: Selectable<DB['billing_plan_item']>, words: ReadonlyMap<string, string | null>): BillingPlanItemView {
  return {
    itemId: row.id,
    itemKey: row.item_key,
    kind: row.kind,
    period: row.period,
    reference: row.reference,
    milestoneId: row.trigger_milestone_id,
    draftAt: row.draft_at,
    issueDate: row.issue_date,
    amount: amountOrNull(row.amount_minor, row.currency),
    currency: row.currency,
    state: row.state as BillingPlanItemView['state'],
    blockers: row.blockers,
    blockedUntil: row.blocked_until,
    heldReason: row.held_reason && (words.get(row.held_reason_id ?? '') ?? row.held_reason),
    settledAt: row.settled_at,
  };
}

/** True where exactly this usage is recorded for the line already: a report delivered twice counts once (S-18). */
export async function isReportedUsage(
  db: Kysely<DB>,
  contractLineId: string,
  usage: {
    readonly eventId: string;
    readonly servicePeriod: string;
    readonly tickets: number;
    readonly p1Tickets: number;
    readonly p1WithinTarget: number;
    readonly supersedes: string | null;
  },
): Promise<boolean> {
  const row = await db.selectFrom('usage_report').selectAll().where('event_id', '=', usage.eventId).executeTakeFirst();
  return (
    row?.contract_line_id === contractLineId &&
    row.service_period === usage.servicePeriod &&
    row.tickets === usage.tickets &&
    row.p1_tickets === usage.p1Tickets &&
    row.p1_within_target === usage.p1WithinTarget &&
    row.supersedes === usage.supersedes
  );
}
