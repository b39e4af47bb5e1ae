import { parseMoney } from '../../domain/money';
import { isViolation } from '../../domain/violation';
import {
  amount,
  CellFault,
  count,
  countryCode,
  flag,
  freeText,
  hoursOfDay,
  instant,
  localDate,
  month,
  oneOf,
  optional,
  outsideId,
  quantity,
} from './cells';
import { type Column, type Row, type Table } from './table';

const text = (name: string, read: Column['read']): Column => ({ name, json: 'text', read });
const yesNo = (name: string): Column => ({ name, json: 'flag', read: flag });
const number = (name: string): Column => ({ name, json: 'count', read: count });

const decided: readonly Column[] = [
  text('status', oneOf('submitted', 'approved', 'rejected')),
  text('submitted_at', instant),
  text('approved_at', optional(instant)),
  text('approved_by', optional(outsideId)),
];

/** An approval has its moment, and nothing else has one; who approved is kept of approvals only. */
function approvalWhole(row: Row): ReturnType<NonNullable<Table['together']>> {
  if (row.status !== 'approved') row.approved_by = null;
  if ((row.status === 'approved') === (row.approved_at !== null)) return null;
  return { field: 'approved_at', fault: new CellFault('ApprovalIncomplete', 'belongs to an approved row, and to no other') };
}

/** Time entries: one per person, day, task and hour type. */
export const timeTable: Table = {
  key: 'entry_id',
  columns: [
    text('entry_id', outsideId),
    text('person_id', outsideId),
    text('work_date', localDate),
    text('line_id', outsideId),
    { ...text('wp_id', optional(outsideId)), jsonName: 'workPackageId', mayLack: true },
    text('task_id', outsideId),
    { ...text('role_code', optional(outsideId)), mayLack: true },
    text('hour_type', oneOf('regular', 'overtime', 'rest_day')),
    text('hours', hoursOfDay),
    text('work_country', countryCode),
    yesNo('onsite'),
    text('rest_day_approval', optional(freeText(200))),
    yesNo('billable'),
    yesNo('rework'),
    text('note', optional(freeText(2000))),
    ...decided,
  ],
  together: approvalWhole,
};

/** Expenses: one per receipt, day or trip. Amounts are staged in minor units of their currency. */
export const expenseTable: Table = {
  key: 'expense_id',
  columns: [
    text('expense_id', outsideId),
    text('report_id', optional(outsideId)),
    text('person_id', outsideId),
    text('line_id', outsideId),
    text('spend_date', localDate),
    text('country', countryCode),
    text('category', outsideId),
    text('quantity', quantity),
    text('unit', outsideId),
    text('currency', outsideId),
    text('amount_gross', amount),
    text('recoverable_tax', amount),
    yesNo('receipt'),
    text('justification', optional(freeText(2000))),
    yesNo('billable'),
    ...decided,
  ],
  together: (row) => inMinorUnits(row, ['amount_gross', 'recoverable_tax']) ?? expenseWhole(row) ?? approvalWhole(row),
};

/** Reports of support usage: one per line and month, or its replacement. */
export const usageTable: Table = {
  key: 'event_id',
  columns: [
    text('event_id', outsideId),
    text('service_period', month),
    text('line_id', outsideId),
    number('tickets'),
    number('p1_tickets'),
    number('p1_within_target'),
    text('supersedes', optional(outsideId)),
    text('reported_at', instant),
  ],
};

/** Costs of subcontractors: what is ordered from a vendor and what it bills. Amounts are staged in minor units of their currency. */
export const subcontractorCostTable: Table = {
  key: 'cost_id',
  columns: [
    text('cost_id', outsideId),
    text('vendor_id', outsideId),
    text('line_id', outsideId),
    { ...text('wp_id', optional(outsideId)), jsonName: 'workPackageId', mayLack: true },
    text('kind', oneOf('commitment', 'bill')),
    text('commitment_id', optional(outsideId)),
    text('amount', amount),
    text('currency', outsideId),
    text('incurred_on', localDate),
    text('supersedes', optional(outsideId)),
  ],
  together: (row) => inMinorUnits(row, ['amount']) ?? costWhole(row),
  isLate: (row) => row.kind === 'bill',
};

/** Only a bill consumes a commitment; nothing is owed only where that takes the place of what was. */
function costWhole(row: Row): ReturnType<NonNullable<Table['together']>> {
  if (row.kind === 'commitment' && row.commitment_id !== null)
    return { field: 'commitment_id', fault: new CellFault('CellMalformed', 'belongs to a bill') };
  if (row.amount !== 0 || row.supersedes !== null) return null;
  return { field: 'amount', fault: new CellFault('AmountInvalid', 'is 0 only where it cancels what it supersedes') };
}

function expenseWhole(row: Row): ReturnType<NonNullable<Table['together']>> {
  if (row.amount_gross === 0) return { field: 'amount_gross', fault: new CellFault('AmountInvalid', 'must be above 0') };
  const isCovered = Number(row.recoverable_tax) <= Number(row.amount_gross);
  return isCovered ? null : { field: 'recoverable_tax', fault: new CellFault('AmountInvalid', 'is more than the amount it is part of') };
}

function inMinorUnits(row: Row, fields: readonly string[]): ReturnType<NonNullable<Table['together']>> {
  const currency = String(row.currency);
  for (const field of fields) {
    const money = parseMoney(String(row[field]), currency);
    if (isViolation(money)) {
      const wrong = money.violation === 'CurrencyUnknown' ? 'currency' : field;
      return { field: wrong, fault: new CellFault('AmountInvalid', wrong === 'currency' ? 'must be an ISO 4217 currency' : money.detail) };
    }
    row[field] = money.minor;
  }
  return null;
}
