import { isWorkingDay } from '../calendar/working-day';
import { type LocalDate } from '../deal/terms';
import { type BlockingCode, type PolicyPerson, type TaskWindow, type TimeEntry, type VendorCompliance } from './entry';

/** What decides whether an entry is blocked. `vendor` is null for employees, `rated` is true where no rate is needed. */
export interface EntryFacts {
  readonly duplicate: boolean;
  readonly person: PolicyPerson;
  readonly task: TaskWindow;
  readonly vendor: VendorCompliance | null;
  readonly rated: boolean;
  /** Approved by whom the rules of duties forbid it. */
  readonly ownTimeApproved: boolean;
}

/** What keeps an entry from being billed until it is cured; a duplicate is only that, other breaches are all named (R-114, S-20). */
export function blockingBreaches(entry: TimeEntry, facts: EntryFacts): BlockingCode[] {
  if (entry.status === 'rejected') return [];
  if (facts.duplicate) return ['DUPLICATE_ENTRY'];
  const { person, task, vendor } = facts;
  const found: readonly (readonly [BlockingCode, boolean])[] = [
    ['REST_DAY_UNAPPROVED', entry.restDayApproval === null && !isWorkingDay(person.calendar, entry.workDate)],
    ['TASK_CLOSED', task.closedOn !== null && entry.workDate > task.closedOn],
    ['BEFORE_CONTRACT_VERSION', entry.workDate < task.validFrom],
    ['COMPLIANCE_LAPSED', vendor !== null && lapsedDocuments(vendor, entry.workDate).length > 0],
    ['RATE_UNRESOLVED', !facts.rated],
    ['OWN_TIME_APPROVED', facts.ownTimeApproved],
  ];
  return found.flatMap(([code, breached]) => (breached ? [code] : []));
}

/** Required documents of a vendor of which none covers the date (R-114, S-20). */
export function lapsedDocuments(vendor: VendorCompliance, date: LocalDate): string[] {
  return vendor.required.filter(
    (type) => !vendor.documents.some((document) => document.type === type && document.validFrom <= date && date <= document.validUntil),
  );
}

/**
 * An entry is billable when it is approved, stated as billable, free of blocking breaches, and, on time-and-materials lines, no rework
 * (R-113, S-07).
 */
export function isBillable(
  entry: Pick<TimeEntry, 'status' | 'billable' | 'rework'>,
  engagementModel: string,
  breaches: readonly BlockingCode[],
): boolean {
  if (entry.status !== 'approved' || !entry.billable || breaches.length > 0) return false;
  return engagementModel !== 'time-and-materials' || !entry.rework;
}
