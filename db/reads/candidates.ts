import { type Kysely } from 'kysely';
import { isActive, resolveActingFor, type Delegation } from '../../domain/approval/delegation';
import { ownersOfCondition } from '../../domain/approval/condition-owners';
import { type Condition } from '../../domain/approval/conditions';
import { PLAIN_SEAT } from '../../domain/approval/groups';
import { type Directory, holdersAsked, seatsOf, votersOf } from '../../domain/approval/holders';
import { FEW_VOTERS_GO_TO } from '../../domain/approval/settle-step';
import { openQuestions } from '../../domain/approval/questions';
import { hasVoted, openSteps, type Approval, type ApprovalStep } from '../../domain/approval/state';
import { stepOfCondition } from '../../domain/approval/waiving';
import { type Instant } from '../../domain/deal/terms';
import { isViolation } from '../../domain/violation';
import { delegations, directory } from '../directory';
import { kept, keptReader } from '../master-memo';
import { policyAt } from '../policies';
import { type DB } from '../types';

/** Somebody whose decision is asked; with `onBehalfOf` as the delegate of a holder. */
export interface Candidate {
  readonly userId: string;
  readonly onBehalfOf: string | null;
  /** What their vote would weigh. */
  readonly weight: number;
}

/** Everything that says who may decide, read once for a whole list. */
export interface Electorate {
  readonly people: Directory;
  readonly entityIds: readonly string[];
  readonly given: readonly Delegation[];
  /** How long a chain of delegations may be by the policy in force. */
  readonly maxDepth: number;
  readonly at: Instant;
}

export async function readElectorate(db: Kysely<DB>, at: Instant): Promise<Electorate> {
  const given = (await delegations(db, at)).filter((each) => isActive(each, at));
  const reader = await keptReader(db);
  const maxDepth = (await policyAt(reader, 'approval', at.slice(0, 10)))?.body.delegation.maxDepth ?? 0;
  return { people: await directory(reader), entityIds: await entityIds(reader), given, maxDepth, at };
}

function entityIds(db: Kysely<DB>): Promise<readonly string[]> {
  return kept(db, 'entity ids', async () => (await db.selectFrom('legal_entity').select('id').orderBy('id').execute()).map(({ id }) => id));
}

/**
 * The people whose decision an open step awaits, holders first, then their delegates; none where the step is not open. Whoever has
 * voted is awaited no more, nor is whoever somebody else has voted for.
 */
export function candidatesOf(electorate: Electorate, approval: Approval, step: ApprovalStep, entityId: string): Candidate[] {
  if (!openSteps(approval).includes(step)) return [];
  const holders = votersOf(approval, step, electorate.people, entityId).filter((userId) => !hasVoted(step, userId));
  const delegates = delegatesIn(electorate, step)
    .filter((userId) => ![approval.requestedBy, ...step.recused, ...holders].includes(userId) && !hasVoted(step, userId))
    .flatMap((userId) => actingFor(electorate, approval, step, holders, userId));
  const seats = seatsOf(step, holders, electorate.people);
  const asked = [...holders.map((userId) => ({ userId, onBehalfOf: null })), ...delegates];
  return asked.map((each) => ({ ...each, weight: (seats[each.onBehalfOf ?? each.userId] ?? PLAIN_SEAT).weight }));
}

/** Who may decide for somebody in the role of a step. */
function delegatesIn({ given }: Electorate, step: ApprovalStep): string[] {
  return [...new Set(given.filter(({ role }) => role === step.role).map(({ delegate }) => delegate))];
}

/** The same chain that a decision of the user would be taken by; none where it would be refused. */
function actingFor(
  { people, given, maxDepth, at }: Electorate,
  approval: Approval,
  step: ApprovalStep,
  holders: readonly string[],
  userId: string,
): Omit<Candidate, 'weight'>[] {
  const withLimits = holders.map((holder) => ({ userId: holder, limit: people.limits[holder] ?? null }));
  const barred = [approval.requestedBy, ...step.recused];
  const acting = resolveActingFor(userId, step.role, given, withLimits, at, approval.amount, { maxDepth, barred });
  return isViolation(acting) ? [] : [{ userId, onBehalfOf: acting.onBehalfOf }];
}

/** True where the user has decided, asked, stood back, sees to a condition or may waive it, or is asked to decide. */
export function takesPart(electorate: Electorate, approval: Approval, entityId: string, userId: string): boolean {
  const steps = approval.tiers.flatMap((tier) => tier.steps);
  return (
    approval.requestedBy === userId ||
    steps.some((step) => step.recused.includes(userId) || hasVoted(step, userId)) ||
    approval.conditions.some((condition) => settles(electorate, approval, condition, entityId, userId)) ||
    isAsked(electorate, approval, entityId, userId)
  );
}

/**
 * True where the user could fulfil the condition, or decides now in the role in which it was set, or for somebody who does, or where they may be nobody any more
 * in that role elsewhere or as head of the entity. Who of them may waive is decided when they do. */
function settles(electorate: Electorate, approval: Approval, condition: Condition, entityId: string, userId: string): boolean {
  const { people } = electorate;
  if (ownersOfCondition(people, approval, condition, entityId).includes(userId)) return true;
  const step = stepOfCondition(approval, condition);
  if (step === undefined) return false;
  const asked = votersOf(approval, step, people, entityId);
  const isTheirs = asked.includes(condition.onBehalfOf ?? condition.by);
  const further = isTheirs ? [] : ['role', FEW_VOTERS_GO_TO].flatMap((to) => holdersAsked(people, { role: step.role, to }, entityId, []));
  const voters = [...asked, ...further];
  return (
    voters.includes(userId) ||
    (delegatesIn(electorate, step).includes(userId) && actingFor(electorate, approval, step, voters, userId).length > 0)
  );
}

/** True where an open step awaits the user's decision. */
export function isAsked(electorate: Electorate, approval: Approval, entityId: string, userId: string): boolean {
  return openSteps(approval).some((step) => candidatesOf(electorate, approval, step, entityId).some((each) => each.userId === userId));
}

/** True where an open approval awaits the user's decision, or the user's answer to a question. */
export function awaits(electorate: Electorate, approval: Approval, entityId: string, userId: string): boolean {
  const owesAnswer = approval.requestedBy === userId && openQuestions(approval).length > 0;
  return owesAnswer || isAsked(electorate, approval, entityId, userId);
}
