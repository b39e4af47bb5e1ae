import { isWorkingDay } from './days';
import { calendarOf } from './document';
import { type ExpectedFolder, type Row } from './folder';

export interface CheckedEntry {
  readonly row: Row;
  readonly duplicate: boolean;
  /** Blocking breaches that need no rate; none are sought for a duplicate. */
  readonly blocks: readonly string[];
}

const checked = new WeakMap<ExpectedFolder, readonly CheckedEntry[]>();

/** Entries that are not rejected, each once as it was first delivered, by submission, then id (S-20, S-22). */
export function checkedEntries(folder: ExpectedFolder): readonly CheckedEntry[] {
  const before = checked.get(folder);
  if (before) return before;
  const known = new Map<string | undefined, Row>();
  for (const row of folder.time) if (row.status !== 'rejected' && !known.has(row.entry_id)) known.set(row.entry_id, row);
  const bySubmission = [...known.values()].sort((a, b) => moment(a) - moment(b) || ((a.entry_id ?? '') < (b.entry_id ?? '') ? -1 : 1));
  const first = new Map<string, string | undefined>();
  for (const row of bySubmission) if (!first.has(sameWork(row))) first.set(sameWork(row), row.entry_id);
  const entries = bySubmission.map((row) => {
    const duplicate = first.get(sameWork(row)) !== row.entry_id;
    return { row, duplicate, blocks: duplicate ? [] : blocksOf(folder, row) };
  });
  checked.set(folder, entries);
  return entries;
}

/** Approved, billable entries of a line without a blocking breach; the rate and rework of time-and-materials lines aside (S-07). */
export function billableEntries(folder: ExpectedFolder, lineId: string): Row[] {
  return checkedEntries(folder)
    .filter(({ duplicate, blocks }) => !duplicate && blocks.length === 0)
    .map(({ row }) => row)
    .filter((row) => row.line_id === lineId && row.status === 'approved' && row.billable === 'Y');
}

const moment = (row: Row): number => Date.parse(row.submitted_at ?? '');
const sameWork = (row: Row): string => [row.person_id, row.work_date, row.task_id, row.hour_type, Number(row.hours)].join('|');

function blocksOf(folder: ExpectedFolder, row: Row): string[] {
  const task = folder.tasks.find((each) => each.task_id === row.task_id);
  if (!task) throw new Error(`no task ${row.task_id}`);
  const day = row.work_date ?? '';
  return [
    ...(restDayUnapproved(folder, row) ? ['REST_DAY_UNAPPROVED'] : []),
    ...(task.closed_on !== '' && day > (task.closed_on ?? '') ? ['TASK_CLOSED'] : []),
    ...(day < (task.valid_from ?? '') ? ['BEFORE_CONTRACT_VERSION'] : []),
    ...(complianceLapsed(folder, row) ? ['COMPLIANCE_LAPSED'] : []),
  ];
}

/** The row of `people.csv`. */
export function personOf(folder: ExpectedFolder, personId: string | undefined): Row {
  const person = folder.people.find((each) => each.person_id === personId);
  if (!person) throw new Error(`no person ${personId}`);
  return person;
}

function restDayUnapproved(folder: ExpectedFolder, row: Row): boolean {
  const calendar = calendarOf(folder, personOf(folder, row.person_id).calendar_id ?? '');
  return !isWorkingDay(calendar, row.work_date ?? '') && row.rest_day_approval === '';
}

function complianceLapsed(folder: ExpectedFolder, row: Row): boolean {
  const vendor = folder.vendors.find((each) => each.id === personOf(folder, row.person_id).vendor_id);
  if (!vendor) return false;
  const day = row.work_date ?? '';
  const required = folder.vendorRules[vendor.country] ?? folder.vendorRules.default ?? [];
  const covers = (type: string): boolean =>
    vendor.complianceDocuments.some((each) => each.type === type && each.validFrom <= day && day <= each.validUntil);
  return !required.every(covers);
}
