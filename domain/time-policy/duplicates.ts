import { epochMs } from '../calendar/zone';
import { decimal } from '../decimal';
import { type TimeEntry } from './entry';

/**
 * Entries that repeat another one: same person, date, task, hour type and hours as one submitted earlier, at the same moment the lower id
 * is the original (R-114, S-20). Rejected entries are no originals and no duplicates (S-22).
 */
export function duplicateEntries(entries: readonly TimeEntry[]): ReadonlySet<string> {
  const originals = new Map<string, TimeEntry>();
  const duplicates = new Set<string>();
  for (const entry of entries) {
    if (entry.status === 'rejected') continue;
    const key = `${entry.personId}|${entry.workDate}|${entry.taskId}|${entry.hourType}|${decimal(entry.hours)}`;
    const original = originals.get(key);
    if (original === undefined) originals.set(key, entry);
    else if (isEarlier(entry, original)) {
      duplicates.add(original.entryId);
      originals.set(key, entry);
    } else duplicates.add(entry.entryId);
  }
  return duplicates;
}

/** Entries that labour checks and `MISSING_WEEK` count: neither rejected nor a duplicate (S-22). */
export function countedEntries(entries: readonly TimeEntry[], duplicates: ReadonlySet<string>): TimeEntry[] {
  return entries.filter((entry) => entry.status !== 'rejected' && !duplicates.has(entry.entryId));
}

function isEarlier(a: TimeEntry, b: TimeEntry): boolean {
  const [first, second] = [epochMs(a.submittedAt), epochMs(b.submittedAt)];
  return first === second ? a.entryId < b.entryId : first < second;
}
