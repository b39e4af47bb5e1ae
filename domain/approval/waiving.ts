import { type Condition } from './conditions';
import { isRecused, type Approval, type ApprovalStep } from './state';

/** Who could waive a condition, as Postgres knows them at that moment. */
export interface WaivingFacts {
  /** Who may decide now on the step with whose vote it was set. */
  readonly voters: readonly string[];
  /** Holders of the roles to which such a step escalates, rung by rung, the head of the entity last. */
  readonly rungs: readonly (readonly string[])[];
  /** Those whom rules of duties bar from this approval now. */
  readonly barred: readonly string[];
}

/**
 * In whose right a condition may be waived at this moment. In that of whoever it was set for, as long as they may decide: a right that has
 * ended since the grant counts no more. Where they may not, in that of the others of that role, and where it has nobody left, of the first rung
 * of its ladder that has somebody. Never in that of the requester, of whoever stood back, or of whom duties bar.
 */
export function waiversOf(
  approval: Approval,
  { by, onBehalfOf }: Pick<Condition, 'by' | 'onBehalfOf'>,
  { voters, rungs, barred }: WaivingFacts,
): readonly string[] {
  const isAble = (userId: string): boolean => userId !== approval.requestedBy && !isRecused(approval, userId) && !barred.includes(userId);
  const principal = onBehalfOf ?? by;
  if (voters.includes(principal) && isAble(principal)) return [principal];
  return [voters, ...rungs].map((each) => each.filter(isAble)).find((each) => each.length > 0) ?? [];
}

/** The step with whose vote a condition was set. */
export function stepOfCondition({ tiers }: Approval, { decisionId }: Pick<Condition, 'decisionId'>): ApprovalStep | undefined {
  return tiers.flatMap(({ steps }) => steps).find(({ votes }) => votes.some((vote) => vote.decisionId === decisionId));
}
