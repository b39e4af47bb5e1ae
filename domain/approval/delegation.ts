import { type Instant } from '../deal/terms';
import { compareMoney, type Money } from '../money';
import { type Violation } from '../violation';
import { type Absence, isAway, isDuring } from './absence';

/**
 * One grant of a role for a time: active for `from` ≤ t < `until`. The ceiling is in the group currency; null = no ceiling of its own.
 * `onlyDuring` are the absences of the delegator where it counts only while that person is away; null = it counts all the time.
 */
export interface Delegation {
  readonly delegationId: string;
  readonly delegator: string;
  readonly delegate: string;
  readonly role: string;
  readonly ceiling: Money | null;
  readonly from: Instant;
  readonly until: Instant;
  readonly onlyDuring: readonly Absence[] | null;
}

/** In whose right a person acts: `path` names the delegations from the holder to the person, empty for the holder's own right. */
export interface ActingFor {
  readonly userId: string;
  readonly onBehalfOf: string | null;
  readonly path: readonly string[];
  readonly limit: Money | null;
}

/**
 * In whose right a user acts in a role at a moment (R-068, RULES Approvals): the own one first, else the shortest chain of active
 * delegations from a holder, at most `maxDepth` long, without loops, never through the `barred` (the requester). The limit is the smallest of
 * the holder's limit and the ceilings on the way. `amount` null skips the ceilings. Refuses with `RoleNotAsked` where there is no chain, and
 * with `DelegationCeilingExceeded` where there is one but its ceiling does not cover the amount.
 */
export function resolveActingFor(
  userId: string,
  role: string,
  delegations: readonly Delegation[],
  holders: readonly { readonly userId: string; readonly limit: Money | null }[],
  at: Instant,
  amount: Money | null,
  options: { readonly maxDepth: number; readonly barred: readonly string[] },
): ActingFor | Violation {
  const own = holders.find((holder) => holder.userId === userId);
  if (own !== undefined) return { userId, onBehalfOf: null, path: [], limit: own.limit };
  const active = delegations.filter((each) => each.role === role && isActive(each, at) && !options.barred.includes(each.delegator));
  const start = holders.map((holder) => ({
    userId: holder.userId,
    onBehalfOf: holder.userId,
    path: [],
    limit: holder.limit,
    ceiling: null,
  }));
  const reached = reach(start, active, options.maxDepth).filter((chain) => chain.userId === userId);
  const first = reached.find((chain) => amount === null || chain.ceiling === null || compareMoney(chain.ceiling, amount) >= 0);
  if (first !== undefined) return { userId, onBehalfOf: first.onBehalfOf, path: first.path, limit: first.limit };
  return reached.length > 0 ? { violation: 'DelegationCeilingExceeded', detail: role } : { violation: 'RoleNotAsked', detail: role };
}

/** `from` ≤ t < `until`, compared as moments, and away where it counts only then. */
export function isActive(delegation: Delegation, at: Instant): boolean {
  return isDuring(delegation, at) && (delegation.onlyDuring === null || isAway(delegation.onlyDuring, at));
}

interface Chain extends ActingFor {
  readonly onBehalfOf: string;
  readonly ceiling: Money | null;
}

/** Every chain up to the depth, shorter ones first; a person appears once in a chain. */
function reach(start: readonly Chain[], active: readonly Delegation[], maxDepth: number): Chain[] {
  const seen = (chain: Chain, userId: string): boolean =>
    chain.onBehalfOf === userId || active.some((each) => chain.path.includes(each.delegationId) && each.delegate === userId);
  const all: Chain[] = [];
  let ends: readonly Chain[] = start;
  for (let depth = 0; depth < maxDepth; depth += 1) {
    ends = ends.flatMap((chain) =>
      active
        .filter((each) => each.delegator === chain.userId && !seen(chain, each.delegate))
        .map((each) => ({
          userId: each.delegate,
          onBehalfOf: chain.onBehalfOf,
          path: [...chain.path, each.delegationId],
          ceiling: smaller(chain.ceiling, each.ceiling),
          limit: chain.limit === null ? null : smaller(chain.limit, each.ceiling),
        })),
    );
    all.push(...ends);
  }
  return all;
}

function smaller(a: Money | null, b: Money | null): Money | null {
  if (a === null || b === null) return a ?? b;
  return compareMoney(a, b) <= 0 ? a : b;
}
