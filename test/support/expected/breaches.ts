import { addDays, mondayOf, wallClock } from './days';
import { calendarOf } from './document';
import { type CheckedExpense } from './expenses';
import { labourBreaches, type Breach } from './labour';
import { priceOf } from './pricing';
import { checkedEntries, personOf } from './time';
import { type WholeFolder } from './whole-folder';

export interface ExpectedBreaches {
  readonly time: Readonly<Record<string, readonly string[]>>;
  readonly expenses: Readonly<Record<string, readonly string[]>>;
}

/**
 * Breaches by code with sorted references; codes without one are left out (S-20 to S-23, S-39). Blocking ones are named for every entry
 * that is neither rejected nor a duplicate, also where it is submitted only, entered as not billable, or rework.
 */
export function policyBreaches(folder: WholeFolder, expenses: readonly CheckedExpense[]): ExpectedBreaches {
  return {
    time: byCode([...entryBreaches(folder), ...labourBreaches(folder)]),
    expenses: byCode(
      expenses.flatMap(({ row, errors, warnings }) => [...errors, ...warnings].map((code) => ({ code, reference: row.expense_id ?? '' }))),
    ),
  };
}

function entryBreaches(folder: WholeFolder): Breach[] {
  return checkedEntries(folder).flatMap(({ row, duplicate, blocks }) => {
    const named = (code: string): Breach => ({ code, reference: row.entry_id ?? '' });
    if (duplicate) return [named('DUPLICATE_ENTRY')];
    const line = folder.deal.lines.find(({ id }) => id === row.line_id);
    const unresolved = line?.engagementModel === 'time-and-materials' && priceOf(folder, line, row) === null;
    const { timeZone } = calendarOf(folder, personOf(folder, row.person_id).calendar_id ?? '');
    const deadline = `${addDays(mondayOf(row.work_date ?? ''), 7)}T12:00:00.000`;
    return [
      ...blocks.map(named),
      ...(unresolved ? [named('RATE_UNRESOLVED')] : []),
      ...(wallClock(row.submitted_at ?? '', timeZone) > deadline ? [named('LATE_SUBMISSION')] : []),
      ...(row.status === 'submitted' ? [named('NOT_APPROVED')] : []),
    ];
  });
}

function byCode(breaches: readonly Breach[]): Record<string, readonly string[]> {
  const codes = [...new Set(breaches.map(({ code }) => code))].sort();
  return Object.fromEntries(
    codes.map((code) => [code, breaches.filter((each) => each.code === code).map(({ reference }) => reference).sort()]), // prettier-ignore
  );
}
