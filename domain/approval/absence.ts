import { compareInstants } from '../calendar/zone';
import { type Instant } from '../deal/terms';
import { type Violation } from '../violation';

/** A time during which somebody is away: `from` ≤ t < `until`. Why is nobody's business. */
export interface Absence {
  readonly from: Instant;
  readonly until: Instant;
}

/** True at a moment of any of the absences. */
export function isAway(absences: readonly Absence[], at: Instant): boolean {
  return absences.some((each) => isDuring(each, at));
}

/** `from` ≤ t < `until`, compared as moments. */
export function isDuring(period: Absence, at: Instant): boolean {
  const moment = Date.parse(at);
  return Date.parse(period.from) <= moment && moment < Date.parse(period.until);
}

/** What was told, in order and with what overlaps or touches put together: the same time away is told in one way only. */
export function inOrder(told: readonly Absence[]): Absence[] {
  const sorted = [...told].sort((a, b) => compareInstants(a.from, b.from));
  const merged: Absence[] = [];
  for (const { from, until } of sorted) {
    const last = merged.at(-1);
    if (last === undefined || compareInstants(last.until, from) < 0) merged.push({ from, until });
    else if (compareInstants(last.until, until) < 0) merged[merged.length - 1] = { from: last.from, until };
  }
  return merged;
}

/** Somebody who gets a right of another, now or later, perhaps only while that one is away. */
export interface StandIn {
  readonly delegator: string;
  readonly delegate: string;
  readonly whenAway: boolean;
}

/**
 * Nobody tells the absence of somebody in whose place they would decide then, also not over others: it would be their own key to the
 * right. `standIns` are the delegations that are not over yet.
 */
export function refuseOwnKey(by: string, absentee: string, standIns: readonly StandIn[]): Violation | null {
  const reached = new Set(standIns.filter((each) => each.whenAway && each.delegator === absentee).map((each) => each.delegate));
  for (const userId of reached) for (const next of standIns) if (next.delegator === userId) reached.add(next.delegate);
  return by !== absentee && reached.has(by) ? { violation: 'AbsenceOfStoodInFor', detail: absentee } : null;
}
