import { type Kysely } from 'kysely';
import { type createActivities } from '../../activities/index';
import { putInboxEvent } from '../../db/inbox';
import { type DB } from '../../db/types';
import { type LineTerms, type TimeAndMaterialsLine } from '../../domain/deal/terms';
import { inRun } from './activity-run';
import { approvedDeal } from './approved';
import { dealRow, timeAndMaterialsLine } from './builders';
import { testDeal } from './lifecycles';
import { uniqueName } from './temporal';

type Activities = ReturnType<typeof createActivities>;

/** A role that only these tests price, at 100.00 EUR an hour in Europe. */
export const ROLE = 'TEST';
export const WORKER = 'P-019';
const TERM = { startDate: '2026-02-01', endDate: '2026-04-30' };

/** One delivered line of a deal of the reference deal's parties, with a task of its own. */
export interface DeliveredLine {
  readonly dealId: string;
  readonly lineId: string;
  readonly contractLineId: string;
  readonly taskId: string;
}

export async function insertTestRate(db: Kysely<DB>): Promise<void> {
  await db.insertInto('rate_card').values({ id: 'RC-TEST', version: '1', scope: 'global', scope_id: null }).execute();
  await db
    .insertInto('rate')
    .values({
      id: 'R-TEST',
      card_id: 'RC-TEST',
      card_version: '1',
      scope: 'global',
      currency: 'EUR',
      region: 'EU',
      role_code: ROLE,
      unit: 'hour',
      rate: '100',
      valid_from: '2026-01-01',
    })
    .execute();
}

/** Time and materials from February to April 2026 with a limit; runs are from February to May. */
export async function deliveredLine(
  db: Kysely<DB>,
  activities: Activities,
  over: Partial<TimeAndMaterialsLine> = {},
): Promise<DeliveredLine> {
  const line = timeAndMaterialsLine({
    ...TERM,
    lineId: uniqueName('T'),
    sellingEntityId: 'LE-DE',
    billToId: 'BA-DE',
    currency: 'EUR',
    region: 'EU',
    notToExceed: { minor: 300_000, currency: 'EUR' },
    ...over,
  });
  return deliver(db, activities, line);
}

/** A line of LE-DE that is delivered, in a deal of its own that LE-DE leads. */
export async function deliver(db: Kysely<DB>, activities: Activities, line: LineTerms): Promise<DeliveredLine> {
  const { lineId } = line;
  const term = { startDate: line.startDate, endDate: line.endDate };
  const terms = testDeal({ ...term, leadEntityId: 'LE-DE', lines: [line] });
  const row = dealRow(terms, { state: 'approval', seller_id: 'U-SELLER' });
  const at = '2026-01-30T09:00:00.000Z';
  await db.insertInto('deal').values(row).execute();
  await db
    .insertInto('deal_estimate')
    .values({
      deal_id: row.id,
      task_id: `${lineId}-T1`,
      line_id: lineId,
      phase: lineId,
      work_package_id: `${lineId}-W1`,
      work_package_name: 'Work',
      service_line: 'advisory',
      role_code: ROLE,
      estimate_hours: '100',
      planned_start: term.startDate,
      planned_end: term.endDate,
      valid_from: term.startDate,
      billable: true,
    })
    .execute();
  const approvalId = await approvedDeal(db, row.id, terms);
  const made = await inRun('deal', () => activities.createBaseline({ dealId: row.id, approvalId, at }));
  const contractLineId = made.lines[0]?.contractLineId ?? '';
  await inRun(contractLineId, () => activities.activateLine({ contractLineId, at }));
  return { dealId: row.id, lineId, contractLineId, taskId: `${lineId}-T1` };
}

export interface Worked {
  readonly entryId: string;
  readonly workDate: string;
  readonly hours: string;
  readonly approvedAt?: string | null;
  readonly [field: string]: unknown;
}

/** Brings time of a line as a time tracker does; gives what the intake answers. */
export async function bringTime(db: Kysely<DB>, activities: Activities, line: DeliveredLine, worked: readonly Worked[], at: string) {
  const entries = worked.map(({ entryId, workDate, hours, approvedAt = `${workDate}T18:00:00.000Z`, ...over }) => ({
    entryId: `${line.lineId}/${entryId}`,
    personId: WORKER,
    workDate,
    lineId: line.lineId,
    taskId: line.taskId,
    roleCode: ROLE,
    hourType: 'regular',
    hours,
    workCountry: 'DE',
    onsite: false,
    restDayApproval: null,
    billable: true,
    rework: false,
    note: null,
    status: approvedAt === null ? 'submitted' : 'approved',
    submittedAt: `${workDate}T17:00:00.000Z`,
    approvedAt,
    approvedBy: approvedAt === null ? null : 'U-PM-EU',
    ...over,
  }));
  return applied(db, activities, 'time-entries', { dealId: line.dealId, entries }, at);
}

async function applied(db: Kysely<DB>, activities: Activities, type: string, payload: object, at: string) {
  const { row } = await putInboxEvent(db, {
    source: 'api',
    eventId: uniqueName(type),
    type,
    subject: uniqueName('stream'),
    sourceOrder: '1',
    occurredAt: at,
    businessReceivedAt: at,
    payload,
  });
  return inRun('intake/test', () => activities.applyIntake({ inboxEventId: row.id, at }));
}

/** Takes the run of a month; the answer names its invoice. */
export async function takeRun(db: Kysely<DB>, activities: Activities, { contractLineId }: DeliveredLine, period: string, at: string) {
  const item = await db
    .selectFrom('billing_plan_item')
    .select('id')
    .where('contract_line_id', '=', contractLineId)
    .where('item_key', '=', `run/${period}`)
    .executeTakeFirstOrThrow();
  return inRun(contractLineId, () => activities.billItem({ contractLineId, itemId: item.id, turn: Math.floor(Math.random() * 1e9), at }));
}

/** An expense of the worker as it is recorded; amounts in minor units of its currency. */
export function expenseRow(line: DeliveredLine, expenseId: string, over: Record<string, unknown> = {}) {
  return {
    expense_id: `${line.lineId}/${expenseId}`,
    contract_line_id: line.contractLineId,
    person_id: WORKER,
    spend_date: '2026-02-10',
    country: 'DE',
    category: 'airfare',
    quantity: '1',
    unit: 'item',
    currency: 'EUR',
    amount_gross_minor: 20_000,
    recoverable_tax_minor: 3_000,
    receipt: true,
    justification: null,
    billable: true,
    status: 'approved',
    submitted_at: '2026-02-12T09:00:00.000Z',
    approved_at: '2026-02-13T09:00:00.000Z',
    approved_by: 'U-PM-EU',
    ...over,
  };
}
