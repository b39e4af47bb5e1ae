import { compareMoney, type Money } from '../money';
import { LIMIT_HOLDER_ROLE } from './settle-step';
import { type Seat } from './groups';
import { type Approval, type ApprovalStep } from './state';

/**
 * Who may hold roles: active users only; a role held for the whole group has entity null. Limits are in the group currency. A committee gives
 * each seat a weight; a member who has none has one vote.
 */
export interface Directory {
  readonly assignments: readonly { readonly userId: string; readonly role: string; readonly entityId: string | null }[];
  readonly committees: readonly {
    readonly role: string;
    readonly members: readonly string[];
    readonly weights: Readonly<Record<string, number>>;
  }[];
  readonly limits: Readonly<Record<string, Money | null>>;
}

/**
 * Holders of a role for an entity: those of the entity; where it has none left after the excluded, those of the group; members for a
 * committee (R-064, S-44, RULES Approvals). In the order of the directory, each once.
 */
export function holdersOf(directory: Directory, role: string, entityId: string, excluded: readonly string[]): string[] {
  const committee = directory.committees.find((each) => each.role === role);
  if (committee !== undefined) return without(committee.members, excluded);
  const held = directory.assignments.filter((assignment) => assignment.role === role);
  const own = without(
    held.filter((assignment) => assignment.entityId === entityId).map((assignment) => assignment.userId),
    excluded,
  );
  return own.length > 0 ? own : holdersInGroup(directory, role, excluded);
}

/** Every holder of a role in the group: whom an escalation "to the role" asks. */
export function holdersInGroup(directory: Directory, role: string, excluded: readonly string[]): string[] {
  return without(
    directory.assignments.filter((assignment) => assignment.role === role).map((assignment) => assignment.userId),
    excluded,
  );
}

/** Whom an escalation of what is asked of a role asks: `role` every holder of it in the group, else the holders of another role. */
export function holdersAsked(
  directory: Directory,
  { role, to }: { readonly role: string; readonly to: string },
  entityId: string,
  excluded: readonly string[],
): string[] {
  return to === 'role' ? holdersInGroup(directory, role, excluded) : holdersOf(directory, to, entityId, excluded);
}

/** Everybody whose approval limit covers the amount; no limit recorded covers nothing. */
export function limitHolders(directory: Directory, amount: Money, excluded: readonly string[]): string[] {
  const users = directory.assignments.map((assignment) => assignment.userId);
  return without(users, excluded).filter((userId) => {
    const limit = directory.limits[userId] ?? null;
    return limit !== null && compareMoney(limit, amount) >= 0;
  });
}

/**
 * Who may vote on a step now: its holders and those it was escalated to, without the requester, the recused and, but for a committee,
 * whoever decided another step already. Empty means that the step has to escalate.
 */
export function votersOf(approval: Approval, step: ApprovalStep, directory: Directory, entityId: string): string[] {
  const excluded = excludedFrom(approval, step);
  const { amount } = approval;
  const asked =
    step.role === LIMIT_HOLDER_ROLE && amount !== null
      ? limitHolders(directory, amount, excluded)
      : holdersOf(directory, step.role, entityId, excluded);
  const further = step.escalatedTo.flatMap((to) => holdersAsked(directory, { role: step.role, to }, entityId, excluded));
  return [...new Set([...asked, ...further])];
}

/** The requester, the recused and, but for a committee, whoever decided another step already. */
export function excludedFrom(approval: Approval, step: ApprovalStep): string[] {
  return [approval.requestedBy, ...step.recused, ...(step.committee ? [] : decidedElsewhere(approval, step))];
}

/**
 * What the votes of some people weigh on a step and which of its groups they count for: the largest weight that the rule gives a role
 * they hold, else that of their seat in the committee, else one. A role counts wherever it is held.
 */
export function seatsOf({ role, weights, groups }: ApprovalStep, voters: readonly string[], directory: Directory): Record<string, Seat> {
  if (weights === null && groups.length === 0 && !directory.committees.some((each) => each.role === role)) return {};
  const rolesOf = (userId: string): string[] => [
    ...directory.assignments.filter((held) => held.userId === userId).map((held) => held.role),
    ...directory.committees.filter(({ members }) => members.includes(userId)).map((each) => each.role),
  ];
  const ownSeats = directory.committees.find((each) => each.role === role)?.weights ?? {};
  const seat = (userId: string): Seat => {
    const roles = rolesOf(userId);
    const weighed = roles.flatMap((each) => weights?.[each] ?? []);
    const weight = weighed.length > 0 ? Math.max(...weighed) : (ownSeats[userId] ?? 1);
    return { weight, groups: groups.filter((group) => group.roles.some((each) => roles.includes(each))).map(({ name }) => name) };
  };
  return Object.fromEntries(voters.map((userId) => [userId, seat(userId)]));
}

function decidedElsewhere(approval: Approval, step: ApprovalStep): string[] {
  const others = approval.tiers.flatMap((tier) => tier.steps).filter((each) => each.role !== step.role && !each.committee);
  return others.flatMap((each) => each.votes.flatMap((vote) => [vote.by, ...(vote.onBehalfOf === null ? [] : [vote.onBehalfOf])]));
}

function without(users: readonly string[], excluded: readonly string[]): string[] {
  return [...new Set(users)].filter((user) => !excluded.includes(user));
}
