import { blockingBreaches } from './blocking';
import { countedEntries, duplicateEntries } from './duplicates';
import {
  known,
  type BlockingCode,
  type PolicyPerson,
  type TaskWindow,
  type TimeBreach,
  type TimeEntry,
  type VendorCompliance,
} from './entry';
import { labourBreaches, type DeliveryTerm } from './labour';
import { type LabourRule } from './labour-rules';
import { missingWeeks, submissionBreaches, type PolicyBooking } from './submission';

/** Everything the time policy looks at. Maps are by id; `vendorOf` and `rated` answer for one entry. */
export interface TimeReview {
  readonly entries: readonly TimeEntry[];
  readonly people: ReadonlyMap<string, PolicyPerson>;
  readonly tasks: ReadonlyMap<string, TaskWindow>;
  readonly labourRules: readonly LabourRule[];
  readonly bookings: readonly PolicyBooking[];
  readonly term: DeliveryTerm;
  /** The vendor of a contractor, null for an employee. */
  readonly vendorOf: (personId: string) => VendorCompliance | null;
  /** False where a time-and-materials entry finds no rate, or not a single one. */
  readonly rated: (entry: TimeEntry) => boolean;
  /** True where it was approved by whom the rules of duties forbid it. */
  readonly ownTimeApproved: (entry: TimeEntry) => boolean;
}

/** What blocks each entry; entries without a breach are left out (R-114, S-20). */
export function blockedEntries(
  review: Omit<TimeReview, 'labourRules' | 'bookings' | 'term'>,
): ReadonlyMap<string, readonly BlockingCode[]> {
  const duplicates = duplicateEntries(review.entries);
  const blocked = new Map<string, readonly BlockingCode[]>();
  for (const entry of review.entries) {
    if (entry.status === 'rejected') continue;
    const duplicate = duplicates.has(entry.entryId);
    const breaches = blockingBreaches(entry, {
      duplicate,
      person: known(review.people, entry.personId),
      task: known(review.tasks, entry.taskId),
      vendor: review.vendorOf(entry.personId),
      rated: duplicate || review.rated(entry),
      ownTimeApproved: review.ownTimeApproved(entry),
    });
    if (breaches.length > 0) blocked.set(entry.entryId, breaches);
  }
  return blocked;
}

/** Every breach of the time policy, blocking ones first (R-114 to R-116, S-20 to S-22, S-39). */
export function reviewTime(review: TimeReview): TimeBreach[] {
  const counted = countedEntries(review.entries, duplicateEntries(review.entries));
  return [
    ...[...blockedEntries(review)].flatMap(([reference, codes]) => codes.map((code) => ({ code, reference }))),
    ...labourBreaches(counted, review.people, review.labourRules, review.term),
    ...submissionBreaches(counted, review.people),
    ...missingWeeks(counted, review.bookings, review.people, review.term),
  ];
}

/** References by code, each once and in order, as reports show them (S-22). */
export function referencesByCode(breaches: readonly { readonly code: string; readonly reference: string }[]): Record<string, string[]> {
  const references = new Map<string, Set<string>>();
  for (const { code, reference } of breaches) {
    const own = references.get(code);
    if (own === undefined) references.set(code, new Set([reference]));
    else own.add(reference);
  }
  return Object.fromEntries([...references].sort(([a], [b]) => (a < b ? -1 : 1)).map(([code, own]) => [code, [...own].sort()]));
}
