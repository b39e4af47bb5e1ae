import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { type Weekday } from '../../domain/calendar/dates';
import { type WorkingCalendar } from '../../domain/calendar/working-day';
import { decimal, type Decimal } from '../../domain/decimal';
import { type Expense, type ExpensePolicy } from '../../domain/expense-policy/expense';
import { type FxRate } from '../../domain/fx';
import { parseMoney, type Money } from '../../domain/money';
import { type Uplift } from '../../domain/rates/price';
import { type Rate, type RateScope } from '../../domain/rates/rate-book';
import { type HourType, type PolicyPerson, type TaskWindow, type TimeEntry, type TimeStatus } from '../../domain/time-policy/entry';
import { accepted, jsonOf } from './deal-builders';

/* The files of the reference deal as the rules of time and materials read them. */

export type Row = Record<string, string>;

/** Rows of a CSV file of the deal. */
export function rowsOf(file: string): Row[] {
  const text = readFileSync(join(__dirname, '../../examples/reference-deal', file), 'utf8');
  return parse(text, { columns: true, skip_empty_lines: true });
}

export const orNull = (cell: string | undefined): string | null => (cell === undefined || cell === '' ? null : cell);
const decimalOrNull = (cell: string | undefined): Decimal | null => (orNull(cell) === null ? null : decimal(cell ?? ''));
export const cell = (row: Row, name: string): string => {
  const value = row[name];
  if (value === undefined) throw new Error(`no column ${name}`);
  return value;
};
export const amount = (text: string, currency: string): Money => accepted(parseMoney(text, currency));

interface CalendarFile {
  readonly calendars: readonly {
    readonly id: string;
    readonly timeZone: string;
    readonly workingWeekdays: readonly Weekday[];
    readonly hoursPerDay: string;
    readonly dayStart: string;
    readonly dayEnd: string;
    readonly holidays: readonly { readonly date: string }[];
  }[];
}

export const calendars: ReadonlyMap<string, WorkingCalendar> = new Map(
  jsonOf<CalendarFile>('calendars.json').calendars.map(({ id, holidays, ...rest }) => [
    id,
    { ...rest, calendarId: id, holidays: holidays.map((holiday) => holiday.date) },
  ]),
);

export const calendarOf = (id: string): WorkingCalendar => {
  const calendar = calendars.get(id);
  if (calendar === undefined) throw new Error(`no calendar ${id}`);
  return calendar;
};

export const personRows = rowsOf('people.csv');
export const people: ReadonlyMap<string, PolicyPerson> = new Map(
  personRows.map((row) => {
    const personId = cell(row, 'person_id');
    return [personId, { personId, calendar: calendarOf(cell(row, 'calendar_id')), labourCountries: [cell(row, 'country')] }];
  }),
);

export const taskRows = new Map(rowsOf('work-packages.csv').map((row) => [cell(row, 'task_id'), row]));
export const tasks: ReadonlyMap<string, TaskWindow> = new Map(
  [...taskRows].map(([taskId, row]) => [taskId, { taskId, validFrom: cell(row, 'valid_from'), closedOn: orNull(row['closed_on']) }]),
);

export const rates: readonly Rate[] = rowsOf('rate-cards.csv').map((row) => ({
  rateId: cell(row, 'rate_id'),
  cardId: cell(row, 'card_id'),
  cardVersion: cell(row, 'card_version'),
  scope: cell(row, 'scope') as RateScope,
  scopeId: orNull(row['scope_id']),
  currency: cell(row, 'currency'),
  region: cell(row, 'region'),
  roleCode: orNull(row['role_code']),
  serviceLine: orNull(row['service_line']),
  location: orNull(row['location']),
  personId: orNull(row['person_id']),
  unit: orNull(row['unit']),
  rate: decimal(cell(row, 'rate')),
  validFrom: cell(row, 'valid_from'),
  validTo: cell(row, 'valid_to'),
}));

export const uplifts: readonly Uplift[] = rowsOf('uplifts.csv').map((row) => ({
  lineId: cell(row, 'line_id'),
  kind: cell(row, 'kind') as Uplift['kind'],
  percent: decimal(cell(row, 'percent')),
  validFrom: cell(row, 'valid_from'),
  validTo: cell(row, 'valid_to'),
}));

/** Entries in the order of delivery; a repeated id is a redelivery (S-22). */
export const entries: readonly TimeEntry[] = [
  ...new Map(
    rowsOf('timesheets.csv').map((row): [string, TimeEntry] => [
      cell(row, 'entry_id'),
      {
        entryId: cell(row, 'entry_id'),
        personId: cell(row, 'person_id'),
        lineId: cell(row, 'line_id'),
        taskId: cell(row, 'task_id'),
        workDate: cell(row, 'work_date'),
        roleCode: cell(row, 'role_code'),
        hourType: cell(row, 'hour_type') as HourType,
        hours: decimal(cell(row, 'hours')),
        workCountry: cell(row, 'work_country'),
        onsite: row['onsite'] === 'Y',
        restDayApproval: orNull(row['rest_day_approval']),
        billable: row['billable'] === 'Y',
        rework: row['rework'] === 'Y',
        status: cell(row, 'status') as TimeStatus,
        submittedAt: cell(row, 'submitted_at'),
        approvedAt: orNull(row['approved_at']),
      },
    ]),
  ).values(),
];

export const expenses: readonly Expense[] = rowsOf('expenses.csv').map((row) => ({
  expenseId: cell(row, 'expense_id'),
  personId: cell(row, 'person_id'),
  lineId: cell(row, 'line_id'),
  spendDate: cell(row, 'spend_date'),
  country: cell(row, 'country'),
  category: cell(row, 'category'),
  quantity: decimal(cell(row, 'quantity')),
  unit: cell(row, 'unit'),
  gross: amount(cell(row, 'amount_gross'), cell(row, 'currency')),
  recoverableTax: amount(cell(row, 'recoverable_tax'), cell(row, 'currency')),
  receipt: row['receipt'] === 'Y',
  justification: orNull(row['justification']),
  billable: row['billable'] === 'Y',
  status: cell(row, 'status') as Expense['status'],
  submittedAt: cell(row, 'submitted_at'),
  approvedAt: orNull(row['approved_at']),
}));

export const expensePolicies: readonly ExpensePolicy[] = rowsOf('expense-policies.csv').map((row) => ({
  policyId: cell(row, 'policy_id'),
  country: cell(row, 'country'),
  category: cell(row, 'category'),
  currency: cell(row, 'currency'),
  unit: cell(row, 'unit'),
  limitPerUnit: decimalOrNull(row['limit_per_unit']),
  fixedRate: decimalOrNull(row['fixed_rate']),
  receiptAbove: decimalOrNull(row['receipt_above']),
  billableToCustomer: row['billable_to_customer'] === 'Y',
  validFrom: cell(row, 'valid_from'),
  validTo: cell(row, 'valid_to'),
}));

export const fxRates: readonly FxRate[] = rowsOf('fx-rates.csv').map((row) => ({
  date: cell(row, 'date'),
  base: cell(row, 'base'),
  quote: cell(row, 'quote'),
  rate: decimal(cell(row, 'rate')),
}));
