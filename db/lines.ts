import { sql, type Kysely, type Selectable, type Transaction } from 'kysely';
import { uuidv7 } from 'uuidv7';
import { type DealTerms, type LineTerms } from '../domain/deal/terms';
import { type BillingPlanItem, type BillingPlanItemKind, type TimeFact, type UsageReport } from '../domain/engagement/model';
import { asStopped } from '../domain/engagement/stop';
import { type DB } from './types';

/** A contract line with the terms of the contract version in force for it (I-06); a stopped one ends on its last day. */
export interface LineRow extends Selectable<DB['contract_line']> {
  readonly terms: LineTerms;
  readonly contract: DealTerms;
  readonly shortCode: string;
}

export interface PlanItemRow extends BillingPlanItem {
  readonly id: string;
  readonly state: string;
  readonly blockedUntil: string | null;
  /** How the draft ended where the item is held, and the id of the words in which somebody said why. */
  readonly heldReason: string | null;
  readonly heldReasonId: string | null;
  readonly blockers: readonly { readonly code: string; readonly ownerRole: string; readonly action: string }[];
}

/**
 * The line, locked for its transaction: its facts and its bills are decided one after the other. A lock beside which rows that name the line
 * may be written. Where the contract version changed while the lock was waited for, the row is looked for once more.
 */
export async function lockLine(trx: Transaction<DB>, contractLineId: string): Promise<LineRow> {
  const locked = () => selectLine(trx, contractLineId).forNoKeyUpdate('line').executeTakeFirst();
  return lineRow((await locked()) ?? (await locked()), contractLineId);
}

/** All lines of a deal, locked in one order, for facts that may concern each of them. */
export async function lockLinesOf(trx: Transaction<DB>, dealId: string): Promise<void> {
  await trx.selectFrom('contract_line').select('id').where('deal_id', '=', dealId).orderBy('id').forNoKeyUpdate().execute();
}

export async function lineOf(db: Kysely<DB>, contractLineId: string): Promise<LineRow> {
  return lineRow(await selectLine(db, contractLineId).executeTakeFirst(), contractLineId);
}

function selectLine(db: Kysely<DB>, contractLineId: string) {
  return db
    .selectFrom('contract_line as line')
    .innerJoin('contract_version as version', (join) =>
      join.onRef('version.deal_id', '=', 'line.deal_id').onRef('version.version', '=', 'line.contract_version'),
    )
    .innerJoin('deal', 'deal.id', 'line.deal_id')
    .selectAll('line')
    .select(['version.terms as contractTerms', 'deal.short_code as shortCode'])
    .where('line.id', '=', contractLineId);
}

type FoundLine = Selectable<DB['contract_line']> & { readonly contractTerms: unknown; readonly shortCode: string };

function lineRow(found: FoundLine | undefined, contractLineId: string): LineRow {
  if (found === undefined) throw new Error(`no contract line ${contractLineId}`);
  const { contractTerms, shortCode, ...line } = found;
  const contract = contractTerms as DealTerms;
  const terms = contract.lines.find((each) => each.lineId === line.line_id);
  if (!terms) throw new Error(`contract version ${line.contract_version} has no line ${line.line_id}`);
  return { ...line, terms: asStopped(terms, line.stopped_on), contract, shortCode };
}

/** The billing plan of a line in the order in which it falls due. */
export async function planItems(db: Kysely<DB>, line: LineRow): Promise<PlanItemRow[]> {
  const rows = await db
    .selectFrom('billing_plan_item')
    .selectAll()
    .where('contract_line_id', '=', line.id)
    .orderBy('draft_at')
    .orderBy('item_key')
    .execute();
  return rows.map((row) => ({
    id: row.id,
    itemKey: row.item_key,
    lineId: line.line_id,
    kind: row.kind as BillingPlanItemKind,
    period: row.period,
    trigger:
      row.trigger_milestone_id === null
        ? { kind: 'moment', draftAt: row.draft_at ?? '', issueDate: row.issue_date ?? '' }
        : { kind: 'acceptance', milestoneId: row.trigger_milestone_id },
    reference: row.reference,
    amount: row.amount_minor === null ? null : { minor: row.amount_minor, currency: row.currency },
    state: row.state,
    blockedUntil: row.blocked_until,
    heldReason: row.held_reason,
    heldReasonId: row.held_reason_id,
    blockers: row.blockers as PlanItemRow['blockers'],
  }));
}

/** Adds items to the billing plan of a line. */
export async function insertPlanItems(
  trx: Transaction<DB>,
  contractLineId: string,
  currency: string,
  items: readonly BillingPlanItem[],
): Promise<void> {
  if (items.length === 0) return;
  const rows = items.map(({ itemKey, kind, period, trigger, reference, amount }) => ({
    id: uuidv7(),
    contract_line_id: contractLineId,
    item_key: itemKey,
    kind,
    period,
    reference,
    trigger_milestone_id: trigger.kind === 'acceptance' ? trigger.milestoneId : null,
    draft_at: trigger.kind === 'moment' ? trigger.draftAt : null,
    issue_date: trigger.kind === 'moment' ? trigger.issueDate : null,
    amount_minor: amount?.minor ?? null,
    currency,
    state: 'planned',
  }));
  await trx.insertInto('billing_plan_item').values(rows).execute();
}

export type MilestoneRow = Selectable<DB['milestone']>;

export async function milestonesOf(db: Kysely<DB>, contractLineId: string): Promise<MilestoneRow[]> {
  return db
    .selectFrom('milestone')
    .selectAll()
    .where('contract_line_id', '=', contractLineId)
    .orderBy('planned_date')
    .orderBy('milestone_id')
    .execute();
}

/** Invoices of a line that have not ended: drafted, approved, or issued and not settled. `isNew` are drafts that nobody was asked about yet. */
export async function openInvoicesOf(db: Kysely<DB>, contractLineId: string): Promise<{ id: string; isNew: boolean }[]> {
  return db
    .selectFrom('invoice')
    .select('id')
    .select((eb) =>
      eb
        .and([
          eb('state', '=', 'draft'),
          eb.not(
            eb.exists(
              eb
                .selectFrom('approval')
                .select('approval.id')
                .where('approval.subject_kind', '=', 'invoice')
                .where('approval.subject_id', '=', sql<string>`invoice.id::text`)
                .whereRef('approval.deal_id', '=', 'invoice.deal_id'),
            ),
          ),
        ])
        .$castTo<boolean>()
        .as('isNew'),
    )
    .where('contract_line_id', '=', contractLineId)
    .where('state', 'in', ['draft', 'approved', 'issued'])
    .orderBy('id')
    .execute();
}

/** Usage reports of a line as its engagement model reads them, in the order in which they were made. */
export async function usageFacts(db: Kysely<DB>, contractLineId: string): Promise<UsageReport[]> {
  const rows = await db
    .selectFrom('usage_report')
    .selectAll()
    .where('contract_line_id', '=', contractLineId)
    .orderBy('reported_at')
    .execute();
  return rows.map((row) => ({
    eventId: row.event_id,
    period: row.service_period,
    tickets: row.tickets,
    p1Tickets: row.p1_tickets,
    p1WithinTarget: row.p1_within_target,
    supersedes: row.supersedes,
    reportedAt: row.reported_at,
  }));
}

/** Time on a line that was neither rejected nor is blocked by policy, by work date (S-07, S-22). */
export async function timeFacts(db: Kysely<DB>, contractLineId: string): Promise<TimeFact[]> {
  const rows = await db
    .selectFrom('time_entry')
    .selectAll()
    .where('contract_line_id', '=', contractLineId)
    .where('status', '<>', 'rejected')
    .where((eb) => eb.not(eb.exists(openBlock(db))))
    .orderBy('work_date')
    .orderBy('entry_id')
    .execute();
  return rows.map((row) => ({
    entryId: row.entry_id,
    workDate: row.work_date,
    hours: row.hours,
    approvedAt: row.approved_at,
    billable: row.billable,
  }));
}

function openBlock(db: Kysely<DB>) {
  return db
    .selectFrom('policy_finding as finding')
    .select('finding.id')
    .whereRef('finding.reference', '=', 'time_entry.entry_id' as never)
    .where('finding.kind', '=', 'time')
    .where('finding.blocking', '=', true)
    .where('finding.closed_at', 'is', null);
}
