import { permissionsOf } from '../access';
import { compareInstants } from '../calendar/zone';
import { type Instant } from '../deal/terms';
import { compareMoney, type Money } from '../money';
import { type Violation } from '../violation';
import { type Absence, isDuring } from './absence';

/** What somebody wants to give to somebody else. Ceiling null: as far as the delegator's own limit. */
export interface AskedDelegation extends Absence {
  readonly delegator: string;
  readonly delegate: string;
  readonly role: string;
  readonly ceiling: Money | null;
}

/** Another delegation of the role, whether it counts at all or only while somebody is away. */
export interface Given extends Absence {
  readonly delegator: string;
  readonly delegate: string;
}

/** What is known when a delegation is asked for. `counting` are those in force, `requested` those that may come in force. */
export interface GivingFacts {
  readonly delegateIsActive: boolean;
  readonly holders: readonly { readonly userId: string; readonly limit: Money | null }[];
  readonly counting: readonly Given[];
  readonly requested: readonly Given[];
}

/** What the approval policy says of delegations. */
export interface DelegationTerms {
  readonly maxDepth: number;
  readonly groupCurrency: string;
  readonly longestDays: number;
  readonly secondPerson: { readonly aboveAmount: Money; readonly aboveDays: number };
}

/** Where the policy says nothing: at most a year, a second person above 100,000 of the group currency or 30 days. */
export const DEFAULT_TERMS = { longestDays: 366, secondPerson: { aboveAmount: 100_000, aboveDays: 30 } } as const;

const DAY_MS = 86_400_000;

/**
 * Whether a person may give a role to somebody else, and whether it counts at once: `requested` where a second person has to grant it first
 * . Refused: to oneself, to nobody, for a time that is past, upside down or too long, a role in which nothing is decided or
 * that the person does not have, above the person's own limit, deeper than the policy allows, in a loop.
 */
export function giveDelegation(
  asked: AskedDelegation,
  facts: GivingFacts,
  terms: DelegationTerms,
  at: Instant,
): 'active' | 'requested' | Violation {
  const refused =
    refusePeople(asked, facts) ?? refusePeriod(asked, terms, at) ?? refuseReach(asked, facts, terms) ?? refuseCeiling(asked, facts, terms);
  return refused ?? refuseLoop(asked, facts) ?? (requiresSecondPerson(asked, facts, terms) ? 'requested' : 'active');
}

/** Only between two people, and only a role in which something is decided. */
function refusePeople({ delegator, delegate, role }: AskedDelegation, { delegateIsActive }: GivingFacts): Violation | null {
  if (delegate === delegator) return { violation: 'DelegationToOneself', detail: delegate, path: '/delegate' };
  if (!delegateIsActive) return { violation: 'DelegateUnknown', detail: delegate, path: '/delegate' };
  if (!permissionsOf([role]).includes('approval.decide')) return { violation: 'RoleDecidesNothing', detail: role, path: '/role' };
  return null;
}

/** Forward in time, not before now, and no longer than the policy allows. */
function refusePeriod({ from, until }: AskedDelegation, { longestDays }: DelegationTerms, at: Instant): Violation | null {
  if (compareInstants(from, until) >= 0) return { violation: 'DelegationUpsideDown', detail: `ends at ${until}`, path: '/until' };
  if (compareInstants(from, at) < 0) return { violation: 'DelegationInPast', detail: `it is ${at}`, path: '/from' };
  if (daysOf({ from, until }) > longestDays)
    return { violation: 'DelegationTooLong', detail: `longer than ${longestDays} days`, path: '/until' };
  return null;
}

/**
 * A role is given by whoever holds it, and passed on by whoever it reaches at some moment of the time, over fewer delegations than the
 * policy allows in a chain.
 */
function refuseReach(asked: AskedDelegation, facts: GivingFacts, { maxDepth }: DelegationTerms): Violation | null {
  const depths = momentsOf(asked, facts.counting)
    .map((moment) => depthAt(asked.delegator, facts, moment))
    .filter((depth) => depth !== null);
  if (depths.length === 0) return { violation: 'RoleNotHeld', detail: asked.role, path: '/role' };
  if (Math.min(...depths) >= maxDepth) return { violation: 'DelegationTooDeep', detail: `at most ${maxDepth} in a chain`, path: '/role' };
  return null;
}

/** A ceiling is in the group currency and not above what the delegator may approve. */
function refuseCeiling({ delegator, ceiling }: AskedDelegation, facts: GivingFacts, terms: DelegationTerms): Violation | null {
  if (ceiling === null) return null;
  if (ceiling.currency !== terms.groupCurrency)
    return { violation: 'DelegationCurrencyWrong', detail: `limits are in ${terms.groupCurrency}`, path: '/ceiling/currency' };
  const limit = limitOf(delegator, facts);
  if (limit !== null && compareMoney(ceiling, limit) > 0)
    return { violation: 'DelegationCeilingTooHigh', detail: 'above the limit of the delegator', path: '/ceiling/amount' };
  return null;
}

/** At no moment of its time may a chain of delegations lead back to the delegator, those that may still be granted included. */
function refuseLoop(asked: AskedDelegation, { counting, requested }: GivingFacts): Violation | null {
  const others = [...counting, ...requested];
  const loops = momentsOf(asked, others).some((moment) => reachedFrom([asked.delegate], others, moment).has(asked.delegator));
  return loops ? { violation: 'DelegationLoop', detail: `${asked.delegate} delegates to ${asked.delegator}`, path: '/delegate' } : null;
}

/** For long, or for much: then it counts once a second person has granted it. Without a ceiling and a limit it is for everything. */
export function requiresSecondPerson(asked: AskedDelegation, facts: GivingFacts, { secondPerson }: DelegationTerms): boolean {
  const bound = asked.ceiling ?? limitOf(asked.delegator, facts);
  return daysOf(asked) > secondPerson.aboveDays || bound === null || compareMoney(bound, secondPerson.aboveAmount) > 0;
}

function limitOf(delegator: string, { holders }: GivingFacts): Money | null {
  return holders.find(({ userId }) => userId === delegator)?.limit ?? null;
}

function daysOf({ from, until }: Absence): number {
  return (Date.parse(until) - Date.parse(from)) / DAY_MS;
}

/** The moments of a time at which something begins: what is in force at any other one was in force at the last of these before it. */
function momentsOf(asked: Absence, others: readonly Absence[]): Instant[] {
  return [asked.from, ...others.map(({ from }) => from).filter((from) => isDuring(asked, from))];
}

/** Over how many delegations the role reaches a person at a moment; 0 for a holder, null where it does not. */
function depthAt(userId: string, { holders, counting }: GivingFacts, at: Instant): number | null {
  const own = holders.map((holder) => holder.userId);
  return reachedFrom(own, counting, at).get(userId) ?? null;
}

/** Whom chains reach at a moment, with the length of the shortest. */
function reachedFrom(start: readonly string[], given: readonly Given[], at: Instant): Map<string, number> {
  const now = given.filter((each) => isDuring(each, at));
  const reached = new Map(start.map((userId) => [userId, 0]));
  for (const [userId, depth] of reached)
    for (const { delegator, delegate } of now) if (delegator === userId && !reached.has(delegate)) reached.set(delegate, depth + 1);
  return reached;
}
