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

/** A condition as it was set with a vote. Fulfilled by its role or waived by whoever set it, with words of why. */
export interface Condition extends AskedCondition {
  readonly decisionId: string;
  readonly by: string;
  readonly onBehalfOf: string | null;
  readonly setAt: Instant;
  readonly settled: ConditionEnd | null;
}

export interface ConditionEnd {
  readonly as: 'fulfilled' | 'waived';
  readonly by: string;
  readonly textId: string;
  readonly at: Instant;
}

/** A condition that nobody could fulfil, or only in the past, would keep the approval open for good. */
export function refuseConditions(
  conditions: readonly AskedCondition[],
  owners: Readonly<Record<string, readonly string[]>>,
  at: Instant,
): Violation | null {
  for (const [index, { role, due }] of conditions.entries()) {
    if ((owners[role] ?? []).length === 0) return { violation: 'ConditionOwnerUnable', detail: role, path: `/conditions/${index}/role` };
    if (due !== null && Date.parse(due) <= Date.parse(at))
      return { violation: 'ConditionDueInPast', detail: `it is ${at}`, path: `/conditions/${index}/due` };
  }
  return null;
}

/**
 * Settles a condition: fulfilled by a holder of its role, `owners`; waived by whoever set it, or for whom it was set. Once every vote is
 * given and no condition is open, the approval is approved at this moment, and never before. The same by the same person once more changes nothing. Refused: `ConditionUnknown` (404),
 * `ConditionSettled`, `AlreadyDecided` (409), `ConditionOwnerRequired`, `ConditionSetterRequired`, `VoterRecused` (403), `ApprovalGone` (410).
 */
export function settleCondition(
  approval: Approval,
  conditionId: string,
  end: Omit<ConditionEnd, 'at'>,
  owners: readonly string[],
  at: Instant,
): Approval | Violation {
  const condition = approval.conditions.find((each) => each.conditionId === conditionId);
  if (condition === undefined) return { violation: 'ConditionUnknown', detail: conditionId };
  const { settled: before } = condition;
  if (before !== null)
    return before.as === end.as && before.by === end.by ? approval : { violation: 'ConditionSettled', detail: before.as };
  const over = endedAlready(approval) ?? timeIsOver(approval, at);
  if (over !== null) return over;
  if (isRecused(approval, end.by)) return { violation: 'VoterRecused', detail: end.by };
  if (end.as === 'fulfilled' && !owners.includes(end.by)) return { violation: 'ConditionOwnerRequired', detail: condition.role };
  if (end.as === 'waived' && end.by !== condition.by && end.by !== condition.onBehalfOf)
    return { violation: 'ConditionSetterRequired', detail: conditionId };
  const settled = { ...condition, settled: { ...end, at } };
  const next = { ...approval, conditions: approval.conditions.map((each) => (each === condition ? settled : each)) };
  return next.kind === 'conditions' && openConditions(next).length === 0 ? grantedUnder(next, at) : next;
}

/** Conditions that somebody has to see to; none once the approval has ended. */
export function openConditions(approval: Approval): readonly Condition[] {
  const isOver = endedAlready(approval) !== null;
  return isOver ? [] : approval.conditions.filter(({ settled }) => settled === null);
}
