import { localDateOf } from '../domain/calendar/zone';
import { type Instant } from '../domain/deal/terms';
import { type Cast } from './cast';
import { type DealFolder } from './folder';
import { type ExpenseRow, type TimeRow } from './folder-schema';
import { type OutsideEvent } from './outside-events';

/** What every time entry and expense says about its decision. */
interface Recorded {
  readonly line_id: string;
  readonly submitted_at: string;
  readonly approved_at: string | null;
}

interface Batch<Row> {
  readonly key: string;
  readonly at: Instant;
  readonly manager: string;
  readonly rows: readonly Row[];
}

const ENTRIES_AT_ONCE = 1000;

/** Time and expenses as they were approved, or submitted where they were not; those of one manager and day come at one moment. */
export function workEvents(folder: DealFolder, cast: Cast): OutsideEvent[] {
  const worked = batches(folder, cast, folder.time);
  const spent = batches(folder, cast, folder.expenses);
  const last = new Map<string, Instant>();
  for (const { key, at } of [...worked, ...spent]) if (at > (last.get(key) ?? '')) last.set(key, at);
  const time = worked.flatMap(({ key, at, manager, rows }) =>
    inBlocks(rows, ENTRIES_AT_ONCE).map((block, index): OutsideEvent => ({
      at: last.get(key) ?? at,
      key: `time/${key}/${index}`,
      says: `${block.length} time entries`,
      bring: async (stage) => {
        const dealId = await stage.dealId();
        await stage.write(manager, 'POST', '/v1/time-entries', `time/${key}/${index}`, { dealId, entries: block.map(timeEntry) });
      },
    })),
  );
  const expenses = spent.map(({ key, at, manager, rows }): OutsideEvent => ({
    at: last.get(key) ?? at,
    key: `expenses/${key}`,
    says: `${rows.length} expenses`,
    bring: async (stage) =>
      stage.write(manager, 'POST', `/v1/deals/${await stage.dealId()}/expenses`, `expenses/${key}`, rows.map(expense)),
  }));
  return [...time, ...expenses];
}

/**
 * One batch per selling entity, manager and local day of that entity, at its last moment: a batch never lies on both sides of a cut-off, which
 * is a local midnight of the entity (S-10).
 */
function batches<Row extends Recorded>(folder: DealFolder, cast: Cast, rows: readonly Row[]): Batch<Row>[] {
  const found = new Map<string, { at: Instant; manager: string; rows: Row[] }>();
  for (const row of rows) {
    const line = folder.lines.find((each) => each.id === row.line_id);
    const zone = folder.entities.find((each) => each.id === line?.sellingEntity)?.timeZone ?? 'UTC';
    const at = new Date(row.approved_at ?? row.submitted_at).toISOString();
    const manager = cast.managerOfLine(row.line_id);
    const key = `${line?.sellingEntity ?? ''}/${manager}/${localDateOf(at, zone)}`;
    const batch = found.get(key) ?? { at, manager, rows: [] };
    batch.rows.push(row);
    if (at > batch.at) batch.at = at;
    found.set(key, batch);
  }
  return [...found].map(([key, batch]) => ({ key, ...batch }));
}

/** An entry as the API takes it. */
export function timeEntry(row: TimeRow) {
  return {
    entryId: row.entry_id,
    personId: row.person_id,
    workDate: row.work_date,
    lineId: row.line_id,
    workPackageId: row.wp_id,
    taskId: row.task_id,
    roleCode: row.role_code,
    hourType: row.hour_type,
    hours: row.hours,
    workCountry: row.work_country,
    onsite: row.onsite,
    restDayApproval: row.rest_day_approval,
    billable: row.billable,
    rework: row.rework,
    note: row.note,
    status: row.status,
    submittedAt: row.submitted_at,
    approvedAt: row.approved_at,
    approvedBy: row.approved_by,
  };
}

/** An expense as the API takes it. */
export function expense(row: ExpenseRow) {
  return {
    expenseId: row.expense_id,
    reportId: row.report_id,
    personId: row.person_id,
    lineId: row.line_id,
    spendDate: row.spend_date,
    country: row.country,
    category: row.category,
    quantity: row.quantity,
    unit: row.unit,
    currency: row.currency,
    amountGross: row.amount_gross,
    recoverableTax: row.recoverable_tax,
    receipt: row.receipt,
    justification: row.justification,
    billable: row.billable,
    status: row.status,
    submittedAt: row.submitted_at,
    approvedAt: row.approved_at,
    approvedBy: row.approved_by,
  };
}

function inBlocks<T>(rows: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(rows.length / size) }, (_, index) => rows.slice(index * size, (index + 1) * size));
}
