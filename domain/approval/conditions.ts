import { type Instant } from '../deal/terms';
import { type Violation } from '../violation';
import { grantedUnder } from './settle-step';
import { endedAlready, timeIsOver, type Approval, isRecused } from './state';

/** What a grant is given under: what, in words that stand elsewhere (I-15), who is to see to it, and by when. */
export interface AskedCondition {
  readonly conditionId: string;
  readonly role: string;
  readonly textId: string;
  readonly due: Instant | null;
}

/** A condition as it was set with a vote. Fulfilled by its role, or waived with words of why. */
export interface Condition extends AskedCondition {
  readonly decisionId: string;
  readonly by: string;
  readonly onBehalfOf: string | null;
  readonly setAt: Instant;
  /** Further roles that may see to it, because it took too long (`role` = every holder in the group). */
  readonly escalatedTo: readonly string[];
  readonly settled: ConditionEnd | null;
}

export interface ConditionEnd {
  readonly as: 'fulfilled' | 'waived';
  readonly by: string;
  readonly textId: string;
  readonly at: Instant;
}

/** What Postgres knows of whoever settles a condition, at that moment. */
export interface SettlingFacts {
  /** Who may fulfil it. */
  readonly owners: readonly string[];
  /** Why this person may not waive it; null where they may. */
  readonly noWaiver: Violation | null;
}

/** Nobody waits longer for what a grant was given under. */
const LONGEST_DAYS = 366;

/** A condition that nobody could fulfil, or only in the past or after years, would keep the approval open for good. */
export function refuseConditions(
  conditions: readonly AskedCondition[],
  owners: Readonly<Record<string, readonly string[]>>,
  at: Instant,
): Violation | null {
  for (const [index, { role, due }] of conditions.entries()) {
    if ((owners[role] ?? []).length === 0) return { violation: 'ConditionOwnerUnable', detail: role, path: `/conditions/${index}/role` };
    if (due !== null && Date.parse(due) <= Date.parse(at))
      return { violation: 'ConditionDueInPast', detail: `it is ${at}`, path: `/conditions/${index}/due` };
    if (due !== null && Date.parse(due) > Date.parse(at) + LONGEST_DAYS * 86_400_000)
      return { violation: 'ConditionDueTooFar', detail: `more than ${LONGEST_DAYS} days from ${at}`, path: `/conditions/${index}/due` };
  }
  return null;
}

/**
 * Settles a condition: fulfilled by one of its owners, waived by whoever may. Once every vote is given and no condition is open,
 * the approval is approved at this moment, and never before. The same by the same person once more changes nothing. Refused: `ConditionUnknown`
 * (404), `ConditionSettled`, `AlreadyDecided` (409), `ConditionOwnerRequired`, `VoterRecused` and those of `noWaiver` (403), `ApprovalGone` (410).
 */
export function settleCondition(
  approval: Approval,
  conditionId: string,
  end: Omit<ConditionEnd, 'at'>,
  { owners, noWaiver }: SettlingFacts,
  at: Instant,
): Approval | Violation {
  const condition = conditionOf(approval, conditionId);
  if (condition === undefined) return { violation: 'ConditionUnknown', detail: conditionId };
  const { settled: before } = condition;
  if (before !== null)
    return before.as === end.as && before.by === end.by ? approval : { violation: 'ConditionSettled', detail: before.as };
  const over = endedAlready(approval) ?? timeIsOver(approval, at);
  if (over !== null) return over;
  if (isRecused(approval, end.by)) return { violation: 'VoterRecused', detail: end.by };
  if (end.as === 'fulfilled' && !owners.includes(end.by)) return { violation: 'ConditionOwnerRequired', detail: condition.role };
  if (end.as === 'waived' && noWaiver !== null) return noWaiver;
  const next = replaceCondition(approval, { ...condition, settled: { ...end, at } });
  return next.kind === 'conditions' && openConditions(next).length === 0 ? grantedUnder(next, at) : next;
}

/** Lets one more role see to a condition; the same role twice changes nothing, nor does one of a condition that is not open. */
export function escalateCondition(approval: Approval, conditionId: string, to: string): Approval {
  const condition = openConditions(approval).find((each) => each.conditionId === conditionId);
  if (condition === undefined || condition.escalatedTo.includes(to)) return approval;
  return replaceCondition(approval, { ...condition, escalatedTo: [...condition.escalatedTo, to] });
}

/** Conditions that somebody has to see to; none once the approval has ended. */
export function openConditions(approval: Approval): readonly Condition[] {
  const isOver = endedAlready(approval) !== null;
  return isOver ? [] : approval.conditions.filter(({ settled }) => settled === null);
}

export function conditionOf({ conditions }: Pick<Approval, 'conditions'>, conditionId: string): Condition | undefined {
  return conditions.find((each) => each.conditionId === conditionId);
}

function replaceCondition(approval: Approval, condition: Condition): Approval {
  const conditions = approval.conditions.map((each) => (each.conditionId === condition.conditionId ? condition : each));
  return { ...approval, conditions };
}
