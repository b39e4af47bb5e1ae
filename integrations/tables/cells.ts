/** What is wrong with a cell; the place is added by the reader of its row. */
export class CellFault {
  constructor(
    readonly code: CellFaultCode,
    readonly detail: string,
  ) {}
}

export const CELL_FAULTS = [
  'CellMissing',
  'CellMalformed',
  'CellTooLong',
  'TextNotStorable',
  'DateUnknown',
  'HoursOutOfRange',
  'AmountInvalid',
  'ApprovalIncomplete',
] as const;
export type CellFaultCode = (typeof CELL_FAULTS)[number];

/** What stands in a cell, or why it cannot be taken; an empty cell is null. Called for every cell of large files, so nothing is built that is not kept. */
export type ReadCell = (cell: string) => CellValue | CellFault;
export type CellValue = string | number | boolean | null;

const MISSING = new CellFault('CellMissing', 'must not be empty');

/** The cell may be empty. */
export function optional(read: ReadCell): ReadCell {
  return (cell) => (cell === '' ? null : read(cell));
}

/** An id of an outside system: printable ASCII, no spaces at the ends. */
export function outsideId(cell: string): CellValue | CellFault {
  if (cell === '') return MISSING;
  if (cell.length > 200) return new CellFault('CellTooLong', 'has at most 200 characters');
  return /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(cell) ? cell : new CellFault('CellMalformed', 'must be printable ASCII');
}

/** Free text. What looks like a formula is text like any other; it is made harmless where it is exported. */
export function freeText(longest: number): ReadCell {
  return (cell) => {
    if (cell === '') return MISSING;
    if (cell.length > longest) return new CellFault('CellTooLong', `has at most ${longest} characters`);
    return /\0|\p{Surrogate}/u.test(cell) ? new CellFault('TextNotStorable', 'holds a null character or a broken surrogate') : cell;
  };
}

export function oneOf(...values: readonly string[]): ReadCell {
  const known = new Set(values);
  const fault = new CellFault('CellMalformed', `must be ${values.join(', ')}`);
  return (cell) => (known.has(cell) ? cell : cell === '' ? MISSING : fault);
}

export function flag(cell: string): CellValue | CellFault {
  if (cell === 'Y') return true;
  if (cell === 'N') return false;
  return cell === '' ? MISSING : new CellFault('CellMalformed', 'must be Y or N');
}

export function countryCode(cell: string): CellValue | CellFault {
  if (/^[A-Z]{2}$/.test(cell)) return cell;
  return cell === '' ? MISSING : new CellFault('CellMalformed', 'must be an ISO 3166 country code');
}

/** A whole number from 0 on. */
export function count(cell: string): CellValue | CellFault {
  if (/^\d{1,9}$/.test(cell)) return Number(cell);
  return cell === '' ? MISSING : new CellFault('CellMalformed', 'must be a whole number below 1,000,000,000');
}

/** Hours of one entry: above 0 and at most 24, exact, in canonical form. */
export function hoursOfDay(cell: string): CellValue | CellFault {
  if (cell === '') return MISSING;
  if (!/^-?(?:0|[1-9]\d{0,5})(?:\.\d{1,10})?$/.test(cell)) return new CellFault('CellMalformed', 'must be a decimal number of hours');
  const value = Number(cell);
  return value > 0 && value <= 24 ? withoutTail(cell) : new CellFault('HoursOutOfRange', 'must be above 0 and at most 24');
}

/** An exact decimal above zero, in canonical form. */
export function quantity(cell: string): CellValue | CellFault {
  if (cell === '') return MISSING;
  if (/^(?:0|[1-9]\d{0,8})(?:\.\d{1,10})?$/.test(cell) && Number(cell) > 0) return withoutTail(cell);
  return new CellFault('CellMalformed', 'must be a decimal above 0');
}

/** Digits that say nothing: `7.50` is `7.5`. */
function withoutTail(decimal: string): string {
  return decimal.includes('.') ? decimal.replace(/\.?0+$/, '') : decimal;
}

/** A decimal amount, not negative; whether it fits its currency is known only with the currency. */
export function amount(cell: string): CellValue | CellFault {
  if (/^(?:0|[1-9]\d{0,14})(?:\.\d{1,4})?$/.test(cell)) return cell;
  return cell === '' ? MISSING : new CellFault('AmountInvalid', 'must be an amount such as 1250.00, not negative');
}

/** `YYYY-MM`. */
export function month(cell: string): CellValue | CellFault {
  if (/^(?:19|2[01])\d\d-(?:0[1-9]|1[0-2])$/.test(cell)) return cell;
  return cell === '' ? MISSING : new CellFault('CellMalformed', 'must be a month, YYYY-MM');
}

/** A day that exists, between 1900 and 2199. */
export function localDate(cell: string): CellValue | CellFault {
  if (cell === '') return MISSING;
  if (!/^\d{4}-\d\d-\d\d$/.test(cell)) return new CellFault('CellMalformed', 'must be a date, YYYY-MM-DD');
  return isDay(cell) ? cell : new CellFault('DateUnknown', 'is no day of the calendar between 1900 and 2199');
}

const INSTANT = /^(\d{4}-\d\d-\d\d)T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d)$/;

/** A moment with its zone, in UTC and milliseconds. */
export function instant(cell: string): CellValue | CellFault {
  if (cell === '') return MISSING;
  const parts = INSTANT.exec(cell);
  if (parts === null) return new CellFault('CellMalformed', 'must be a moment with its zone, such as 2026-03-02T09:00:00Z');
  const moment = Date.parse(cell);
  if (Number.isNaN(moment) || !isDay(parts[1] ?? '')) return new CellFault('DateUnknown', 'is no moment between 1900 and 2199');
  return new Date(moment).toISOString();
}

const DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

function isDay(date: string): boolean {
  const [year, month, day] = [Number(date.slice(0, 4)), Number(date.slice(5, 7)), Number(date.slice(8, 10))];
  const longest = DAYS[month - 1];
  if (longest === undefined || day < 1 || day > longest || year < 1900 || year > 2199) return false;
  return month !== 2 || day < 29 || (year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0));
}
