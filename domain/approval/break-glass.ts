import { type Instant } from '../deal/terms';
import { type Violation } from '../violation';
import { type DutyConflict } from './duties';
import { endedAlready, type Approval } from './state';

/** Hours for which one that was asked for waits, and for which one that was granted counts, where the approval policy says nothing. */
export const BREAK_GLASS_HOURS = 24;

/** Somebody who is barred by rules of duties may decide on one approval all the same, once, because a second person has granted it. */
export interface BreakGlass {
  readonly by: string;
  /** The rules that barred them when they asked; no other is set aside. */
  readonly ruleIds: readonly string[];
  readonly state: 'requested' | 'granted' | 'refused' | 'used';
  /** Until when it can be granted or, granted, used. */
  readonly lapsesAt: Instant;
}

export interface AskingFacts {
  readonly approval: Approval;
  /** Whether an open step asks them in person; nobody breaks the glass in somebody else's name. */
  readonly isAsked: boolean;
  readonly conflicts: readonly DutyConflict[];
  /** How long it waits, and counts, by the policy in force. */
  readonly hours: number;
}

/**
 * Asks for it: whoever an open step asks in person and rules of duties bar. The ban on deciding one's own request is never set aside.
 * Refusals: `AlreadyDecided`, `ApprovalGone`, `ApproverIsRequester`, `RoleNotAsked`, `BreakGlassNeedless`.
 */
export function askBreakGlass(by: string, facts: AskingFacts, at: Instant): BreakGlass | Violation {
  const { approval, isAsked, conflicts, hours } = facts;
  const ended = endedAlready(approval);
  if (ended !== null) return ended;
  if (by === approval.requestedBy) return { violation: 'ApproverIsRequester', detail: by };
  if (!isAsked) return { violation: 'RoleNotAsked', detail: 'no open step asks you in person' };
  if (conflicts.length === 0) return { violation: 'BreakGlassNeedless', detail: 'no rule of duties bars you' };
  return { by, ruleIds: [...new Set(conflicts.map(({ ruleId }) => ruleId))], state: 'requested', lapsesAt: after(at, hours) };
}

/**
 * A second person grants or refuses it: neither who asks, nor who requested the approval, nor anybody whom a rule of duties bars as well.
 * Refusals: `BreakGlassOwnDecision`, `BreakGlassSettled`, those of an approval that has ended, `DutiesConflict`.
 */
export function decideBreakGlass(
  given: BreakGlass,
  decision: { readonly by: string; readonly verdict: 'grant' | 'refuse' },
  { approval, conflicts, hours }: Omit<AskingFacts, 'isAsked'>,
  at: Instant,
): BreakGlass | Violation {
  if (decision.by === given.by || decision.by === approval.requestedBy) return { violation: 'BreakGlassOwnDecision', detail: decision.by };
  if (given.state !== 'requested') return { violation: 'BreakGlassSettled', detail: given.state };
  if (isOver(given, at)) return { violation: 'BreakGlassSettled', detail: 'its time is over' };
  if (decision.verdict === 'refuse') return { ...given, state: 'refused' };
  const ended = endedAlready(approval);
  if (ended !== null) return ended;
  return conflicts[0]?.refusal ?? { ...given, state: 'granted', lapsesAt: after(at, hours) };
}

/**
 * Whether it sets aside all the rules that bar its holder now: in its time, and no rule among them is a new one. `granted`: for a decision, which it
 * is not used for yet. `used`: for waiving what was set with the decision that it was used for.
 */
export function setsAside(given: BreakGlass, conflicts: readonly DutyConflict[], at: Instant, as: 'granted' | 'used' = 'granted'): boolean {
  return given.state === as && !isOver(given, at) && conflicts.every(({ ruleId }) => given.ruleIds.includes(ruleId));
}

function isOver({ lapsesAt }: BreakGlass, at: Instant): boolean {
  return Date.parse(lapsesAt) <= Date.parse(at);
}

function after(at: Instant, hours: number): Instant {
  return new Date(Date.parse(at) + hours * 3_600_000).toISOString();
}
