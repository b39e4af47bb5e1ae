import { type WorkingCalendar } from '../calendar/working-day';
import { type Instant, type LocalDate } from '../deal/terms';
import { type Decimal } from '../decimal';

export type HourType = 'regular' | 'overtime' | 'rest_day';
export type TimeStatus = 'submitted' | 'approved' | 'rejected';

/** A time entry as it was recorded. `billable` is what the person stated, not what the rules say. `approvedAt` belongs to `approved`. */
export interface TimeEntry {
  readonly entryId: string;
  readonly personId: string;
  readonly lineId: string;
  readonly taskId: string;
  readonly workDate: LocalDate;
  readonly roleCode: string;
  readonly hourType: HourType;
  readonly hours: Decimal;
  readonly workCountry: string;
  readonly onsite: boolean;
  readonly restDayApproval: string | null;
  readonly billable: boolean;
  readonly rework: boolean;
  readonly status: TimeStatus;
  readonly submittedAt: Instant;
  readonly approvedAt: Instant | null;
}

/**
 * Who worked: `labourCountries` are those whose labour rules hold for the person. S-21 takes the country of residence; the law of the
 * employing country and of the country of work are further entries, and a person to whom none applies has none.
 */
export interface PolicyPerson {
  readonly personId: string;
  readonly calendar: WorkingCalendar;
  readonly labourCountries: readonly string[];
}

/** When time may be booked on a task; `closedOn` is the last day, null while it is open. */
export interface TaskWindow {
  readonly taskId: string;
  readonly validFrom: LocalDate;
  readonly closedOn: LocalDate | null;
}

/** A vendor's documents and the types that it must have; the first and the last day are included. */
export interface VendorCompliance {
  readonly vendorId: string;
  readonly required: readonly string[];
  readonly documents: readonly { readonly type: string; readonly validFrom: LocalDate; readonly validUntil: LocalDate }[];
}

/** Breaches that keep an entry from being billed until they are cured (S-20, R-249). */
export const BLOCKING_CODES = [
  'DUPLICATE_ENTRY',
  'REST_DAY_UNAPPROVED',
  'TASK_CLOSED',
  'BEFORE_CONTRACT_VERSION',
  'COMPLIANCE_LAPSED',
  'RATE_UNRESOLVED',
  'OWN_TIME_APPROVED',
] as const;
export type BlockingCode = (typeof BLOCKING_CODES)[number];
export type ReportedCode =
  | 'DAY_OVER_LIMIT'
  | 'WEEK_OVER_LIMIT'
  | 'AVERAGE_WEEK_OVER_LIMIT'
  | 'MONTHLY_OVERTIME_OVER_LIMIT'
  | 'LATE_SUBMISSION'
  | 'NOT_APPROVED'
  | 'MISSING_WEEK';

/** A breach of the time policy; the reference is an entry, `person/date`, `person/Monday of the week` or `person/month` (S-22). */
export interface TimeBreach {
  readonly code: BlockingCode | ReportedCode;
  readonly reference: string;
}

/** What somebody's record names that the master data does not have is a bug of the caller: intake refuses it. */
export function known<Row>(rows: ReadonlyMap<string, Row>, id: string): Row {
  const row = rows.get(id);
  if (row === undefined) throw new RangeError(`unknown ${id}`);
  return row;
}
