import { epochMs } from '../calendar/zone';
import { decimal } from '../decimal';
import { type TimeEntry } from './entry';

/**
 * Entries that repeat another one: same person, date, task, hour type and hours as one submitted earlier, at the same moment the lower id
 * is the original (R-114, S-20). Rejected entries are no originals and no duplicates (S-22).
 */
export function duplicateEntries(entries: readonly TimeEntry[]): ReadonlySet<string> {
  const originals = new Map<string, { entryId: string; submittedMs: number }>();
  const duplicates = new Set<string>();
  for (const entry of entries) {
    if (entry.status === 'rejected') continue;
    const key = `${entry.personId}|${entry.workDate}|${entry.taskId}|${entry.hourType}|${decimal(entry.hours)}`;
    const own = { entryId: entry.entryId, submittedMs: epochMs(entry.submittedAt) };
    const original = originals.get(key);
    if (original === undefined) originals.set(key, own);
    else if (isEarlier(own, original)) {
      duplicates.add(original.entryId);
      originals.set(key, own);
    } else duplicates.add(own.entryId);
  }
  return duplicates;
}

/** Entries that labour checks and `MISSING_WEEK` count: neither rejected nor a duplicate (S-22). */
export function countedEntries(entries: readonly TimeEntry[], duplicates: ReadonlySet<string>): TimeEntry[] {
  return entries.filter((entry) => entry.status !== 'rejected' && !duplicates.has(entry.entryId));
}

function isEarlier(a: { entryId: string; submittedMs: number }, b: { entryId: string; submittedMs: number }): boolean {
  return a.submittedMs === b.submittedMs ? a.entryId < b.entryId : a.submittedMs < b.submittedMs;
}
