import { isWorkingDay } from './days';
import { calendarOf } from './document';
import { type ExpectedFolder, type Row } from './folder';

/** Approved, billable entries of a line without a blocking breach, a redelivered one once (S-07, S-20, S-22). */
export function billableEntries(folder: ExpectedFolder, lineId: string): Row[] {
  const known = new Map(folder.time.filter((row) => row.status !== 'rejected').map((row) => [row.entry_id, row]));
  const bySubmission = [...known.values()].sort((a, b) => moment(a) - moment(b) || ((a.entry_id ?? '') < (b.entry_id ?? '') ? -1 : 1));
  const first = new Map<string, string | undefined>();
  for (const row of bySubmission) if (!first.has(sameWork(row))) first.set(sameWork(row), row.entry_id);
  return bySubmission.filter(
    (row) =>
      row.line_id === lineId &&
      row.status === 'approved' &&
      row.billable === 'Y' &&
      first.get(sameWork(row)) === row.entry_id &&
      !restDayUnapproved(folder, row) &&
      !outsideTask(folder, row) &&
      !complianceLapsed(folder, row),
  );
}

const moment = (row: Row): number => Date.parse(row.submitted_at ?? '');
const sameWork = (row: Row): string => [row.person_id, row.work_date, row.task_id, row.hour_type, Number(row.hours)].join('|');

function personOf(folder: ExpectedFolder, row: Row): Row {
  const person = folder.people.find((each) => each.person_id === row.person_id);
  if (!person) throw new Error(`no person ${row.person_id}`);
  return person;
}

function restDayUnapproved(folder: ExpectedFolder, row: Row): boolean {
  const calendar = calendarOf(folder, personOf(folder, row).calendar_id ?? '');
  return !isWorkingDay(calendar, row.work_date ?? '') && row.rest_day_approval === '';
}

function outsideTask(folder: ExpectedFolder, row: Row): boolean {
  const task = folder.tasks.find((each) => each.task_id === row.task_id);
  if (!task) throw new Error(`no task ${row.task_id}`);
  const day = row.work_date ?? '';
  return day < (task.valid_from ?? '') || (task.closed_on !== '' && day > (task.closed_on ?? ''));
}

function complianceLapsed(folder: ExpectedFolder, row: Row): boolean {
  const vendor = folder.vendors.find((each) => each.id === personOf(folder, row).vendor_id);
  if (!vendor) return false;
  const day = row.work_date ?? '';
  const required = folder.vendorRules[vendor.country] ?? folder.vendorRules.default ?? [];
  const covers = (type: string): boolean =>
    vendor.complianceDocuments.some((each) => each.type === type && each.validFrom <= day && day <= each.validUntil);
  return !required.every(covers);
}
