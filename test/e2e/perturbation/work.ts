import { addDays, endOfDay, firstOf, monthAfter, monthOf } from '../../support/expected/days';
import { type Chance } from './chance';
import { csv, EVENT, inCurrency, json, later, saveCsv, type DealFile, type Row } from './files';

const PEOPLE_OF_A_LINE = 3;
const EXPENSES_OF_A_LINE = 12;

interface Line {
  readonly id: string;
  readonly engagementModel: string;
  readonly startDate: string;
  readonly endDate: string;
  readonly timeZone: string;
  /** When the last run of the line takes what was approved until then. */
  readonly lastCutOff: number;
}

/**
 * Time of a few people of each line within its term, thinned; hours, overtime, rework, on-site work and approvals are drawn. Some entries are
 * approved within a second of a cut-off on either side, some three weeks late, some never; some come twice under one id or another. Hours of a
 * retainer are approved once a month.
 */
export function perturbTime(folder: string, draw: Chance): void {
  const lines = linesOf(folder);
  const table = csv(folder, 'timesheets.csv');
  const workers = new Map(lines.map((line) => [line.id, drawnWorkers(table.rows, line, draw)]));
  table.rows = lines
    .flatMap((line) => {
      const own = table.rows.filter((row) => isWithin(row, line, row.work_date) && workers.get(line.id)?.includes(row.person_id ?? ''));
      if (line.engagementModel === 'retainer') return own.map((row) => hoursOfRetainer(row, draw));
      const kept = own.filter(() => draw.whole(0, 9) < 6);
      return kept.flatMap((row) => delivered(perturbed(row, line, draw), draw));
    })
    .sort((a, b) => (momentOf(a) < momentOf(b) ? -1 : 1));
  saveCsv(folder, 'timesheets.csv', table);
}

/** Some expenses of each line within its term: amounts, receipts, reasons and approvals are drawn, one comes twice. */
export function perturbExpenses(folder: string, draw: Chance): void {
  const table = csv(folder, 'expenses.csv');
  table.rows = linesOf(folder).flatMap((line) => {
    const own = table.rows.filter((row) => isWithin(row, line, row.spend_date));
    const kept = own.filter((_, index) => index % Math.ceil(own.length / EXPENSES_OF_A_LINE) === 0);
    return kept.flatMap((row, index) => {
      const changed = perturbedExpense(row, line, draw);
      if (Date.parse(changed.approved_at ?? '') >= line.lastCutOff) return [];
      return index === 1 ? [changed, { ...changed, expense_id: `${changed.expense_id}-B` }] : [changed];
    });
  });
  saveCsv(folder, 'expenses.csv', table);
}

function linesOf(folder: string): Line[] {
  const { data } = json(folder, EVENT) as DealFile;
  const { legalEntities } = json(folder, 'legal-entities.json') as { legalEntities: { id: string; timeZone: string }[] };
  const delivered = data.lines.filter((line) => line.engagementModel !== 'managed-service').map((line) => String(line.endDate));
  const lastRun = monthAfter(monthOf(delivered.sort().at(-1) ?? data.startDate));
  return data.lines.map((line) => {
    const timeZone = legalEntities.find(({ id }) => id === line.sellingEntity)?.timeZone ?? 'UTC';
    return {
      id: line.id,
      engagementModel: line.engagementModel,
      startDate: String(line.startDate),
      endDate: String(line.endDate),
      timeZone,
      lastCutOff: cutOffOf(lastRun, timeZone),
    };
  });
}

const cutOffOf = (month: string, timeZone: string): number => endOfDay(addDays(firstOf(monthAfter(month)), 4), timeZone);
const isWithin = (row: Row, line: Line, day = ''): boolean => row.line_id === line.id && line.startDate <= day && day <= line.endDate;
const momentOf = (row: Row): string => row.approved_at || (row.submitted_at ?? '');

/** Whoever works on tasks of a later contract version first. */
function drawnWorkers(rows: readonly Row[], line: Line, draw: Chance): string[] {
  const own = rows.filter((row) => isWithin(row, line, row.work_date));
  const people = [...new Set(own.map((row) => row.person_id ?? ''))].sort();
  if (line.engagementModel !== 'time-and-materials') return people.slice(0, 8);
  const extending = [...new Set(own.filter((row) => row.wp_id === 'L3-06').map((row) => row.person_id ?? ''))].sort();
  const chosen = new Set(extending.length > 0 ? [draw.one(extending), draw.one(extending)] : []);
  while (chosen.size < Math.min(PEOPLE_OF_A_LINE, people.length)) chosen.add(draw.one(people));
  return [...chosen];
}

function hoursOfRetainer(row: Row, draw: Chance): Row {
  return { ...row, hours: (draw.whole(1, 24) / 4).toFixed(2), approved_at: `${monthAfter(monthOf(row.work_date ?? ''))}-01T16:49:00Z` };
}

function perturbed(row: Row, line: Line, draw: Chance): Row {
  const chanceOf = (percent: number): boolean => draw.whole(1, 100) <= percent;
  const changed: Row = {
    ...row,
    hours: (draw.whole(8, chanceOf(5) ? 46 : 36) / 4).toFixed(2),
    rework: chanceOf(3) ? 'Y' : (row.rework ?? 'N'),
    onsite: chanceOf(20) ? 'Y' : (row.onsite ?? 'N'),
    billable: chanceOf(3) ? 'N' : (row.billable ?? 'Y'),
    hour_type: row.hour_type === 'regular' && chanceOf(8) ? 'overtime' : (row.hour_type ?? 'regular'),
  };
  if (changed.status !== 'approved') return changed;
  if (chanceOf(2)) return { ...changed, status: 'submitted', approved_at: '', approved_by: '' };
  if (chanceOf(2)) return { ...changed, status: 'rejected', approved_at: '', approved_by: '' };
  return { ...changed, approved_at: drawnApproval(changed, changed.work_date ?? '', line, draw) };
}

/** As it was, around the cut-off of the month, or three weeks later; never before it was submitted, nor too late for the last run. */
function drawnApproval(row: Row, day: string, line: Line, draw: Chance): string {
  const inTime = later(new Date(line.lastCutOff - 1000).toISOString(), 0);
  const before = (row.approved_at ?? '') < inTime ? (row.approved_at ?? '') : inTime;
  const kind = draw.whole(1, 100);
  if (kind > 14) return before;
  const cutOff = cutOffOf(monthOf(day), line.timeZone);
  const moved = kind <= 4 ? later(before, 21) : later(new Date(cutOff + draw.one([-1, 0, 1, 3600, -3600]) * 1000).toISOString(), 0);
  return moved > (row.submitted_at ?? '') && moved < inTime ? moved : before;
}

/** Now and then an entry is delivered again: the same once more, or as another entry a little later. */
function delivered(row: Row, draw: Chance): Row[] {
  const kind = draw.whole(1, 60);
  if (kind === 1) return [row, row];
  if (kind === 2) return [row, { ...row, entry_id: `${row.entry_id}-B`, submitted_at: later(row.submitted_at ?? '', 0, 1) }];
  return [row];
}

function perturbedExpense(row: Row, line: Line, draw: Chance): Row {
  const factor = draw.whole(40, 180) / 100;
  const scaled = (text = ''): string => (text === '' ? '' : inCurrency(Number(text) * factor, row.currency ?? ''));
  const changed: Row = {
    ...row,
    amount_gross: scaled(row.amount_gross),
    recoverable_tax: scaled(row.recoverable_tax),
    receipt: draw.whole(1, 100) <= 12 ? 'N' : (row.receipt ?? 'Y'),
    justification: draw.whole(1, 100) <= 15 ? 'agreed with the customer' : (row.justification ?? ''),
    submitted_at: draw.whole(1, 100) <= 8 ? later(row.submitted_at ?? '', 2) : (row.submitted_at ?? ''),
  };
  if (changed.status !== 'approved') return changed;
  const approvedAt = drawnApproval(changed, changed.spend_date ?? '', line, draw);
  return { ...changed, approved_at: approvedAt > (changed.submitted_at ?? '') ? approvedAt : later(changed.submitted_at ?? '', 1) };
}
