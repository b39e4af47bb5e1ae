import { type Kysely } from 'kysely';
import { isActive, type Delegation } from '../../domain/approval/delegation';
import { type Directory, votersOf } from '../../domain/approval/holders';
import { openSteps, type Approval, type ApprovalStep } from '../../domain/approval/state';
import { type Instant } from '../../domain/deal/terms';
import { delegations, directory } from '../directory';
import { type DB } from '../types';

/** Somebody whose decision is asked; with `onBehalfOf` as the delegate of a holder. */
export interface Candidate {
  readonly userId: string;
  readonly onBehalfOf: string | null;
}

/** Everything that says who may decide, read once for a whole list. */
export interface Electorate {
  readonly people: Directory;
  readonly given: readonly Delegation[];
  readonly at: Instant;
}

export async function readElectorate(db: Kysely<DB>, at: Instant): Promise<Electorate> {
  return { people: await directory(db), given: (await delegations(db)).filter((each) => isActive(each, at)), at };
}

/** The people whose decision an open step awaits, holders first, then their delegates; none where the step is not open. */
export function candidatesOf(electorate: Electorate, approval: Approval, step: ApprovalStep, entityId: string): Candidate[] {
  if (!openSteps(approval).includes(step)) return [];
  const voted = step.votes.map((vote) => vote.by);
  const holders = votersOf(approval, step, electorate.people, entityId).filter((userId) => !voted.includes(userId));
  const delegates = electorate.given
    .filter((each) => each.role === step.role && holders.includes(each.delegator) && each.delegate !== approval.requestedBy)
    .filter((each) => !holders.includes(each.delegate) && !voted.includes(each.delegate))
    .map((each) => ({ userId: each.delegate, onBehalfOf: each.delegator }));
  return [...holders.map((userId) => ({ userId, onBehalfOf: null })), ...delegates];
}

/** True where the user has decided, asked, or is asked to decide. */
export function takesPart(electorate: Electorate, approval: Approval, entityId: string, userId: string): boolean {
  const steps = approval.tiers.flatMap((tier) => tier.steps);
  return (
    approval.requestedBy === userId ||
    steps.some((step) => step.votes.some((vote) => vote.by === userId || vote.onBehalfOf === userId)) ||
    isAsked(electorate, approval, entityId, userId)
  );
}

/** True where an open step awaits the user's decision. */
export function isAsked(electorate: Electorate, approval: Approval, entityId: string, userId: string): boolean {
  return openSteps(approval).some((step) => candidatesOf(electorate, approval, step, entityId).some((each) => each.userId === userId));
}
