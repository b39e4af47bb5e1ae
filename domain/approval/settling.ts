import { compareInstants } from '../calendar/zone';
import { type Instant } from '../deal/terms';
import { isViolation, type Violation } from '../violation';
import { type AskedDelegation, type DelegationTerms, giveDelegation, type GivingFacts } from './giving';

/** Where a delegation stands: `active` within its time, unless it needs an absence. `requested` is null where it came with master data. */
export interface StandingDelegation extends AskedDelegation {
  readonly state: 'requested' | 'active' | 'refused' | 'withdrawn' | 'ended';
  readonly requestedAt: Instant | null;
}

/**
 * A second person grants or refuses a delegation, neither of the two that it is between. Granted, it counts from then on or from its
 * first day, whichever is later; whatever would keep it from being given now keeps it from being granted.
 */
export function decideDelegation(
  given: StandingDelegation,
  decision: { readonly by: string; readonly verdict: 'grant' | 'refuse' },
  facts: GivingFacts,
  terms: DelegationTerms,
  at: Instant,
): { readonly state: 'active' | 'refused'; readonly from: Instant } | Violation {
  if (decision.by === given.delegator || decision.by === given.delegate) return { violation: 'DelegationOwnDecision', detail: decision.by };
  if (given.state !== 'requested') return { violation: 'DelegationSettled', detail: given.state };
  if (compareInstants(given.until, at) <= 0) return { violation: 'DelegationSettled', detail: 'its time is over' };
  if (decision.verdict === 'refuse') return { state: 'refused', from: given.from };
  const from = compareInstants(given.from, at) < 0 ? at : given.from;
  const again = giveDelegation({ ...given, from }, facts, terms, at);
  return isViolation(again) ? again : { state: 'active', from };
}

/**
 * A delegation ends before its time: from this moment on it counts no more, and one that has not begun never does. One that came with
 * master data ends there.
 */
export function endDelegation(
  given: StandingDelegation,
  at: Instant,
): { readonly state: 'withdrawn' | 'ended'; readonly until: Instant } | Violation {
  if (given.requestedAt === null) return { violation: 'DelegationOfMasterData', detail: 'it came with master data' };
  const isOpen = given.state === 'requested' || given.state === 'active';
  if (!isOpen || compareInstants(given.until, at) <= 0)
    return { violation: 'DelegationSettled', detail: isOpen ? 'its time is over' : given.state };
  if (given.state === 'requested' || compareInstants(given.from, at) >= 0) return { state: 'withdrawn', until: given.until };
  return { state: 'ended', until: at };
}
