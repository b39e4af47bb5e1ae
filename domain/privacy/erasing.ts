import { type InvalidInput, type Violation } from '../violation';

/** What stands in the way of an erasure, as it is known at a moment. */
export interface ErasureFacts {
  readonly isErased: boolean;
  /** Master data names the person. */
  readonly isActive: boolean;
  /** Roles, seats, lines and processes that the person still has. */
  readonly rolesHeld: number;
  /** Ids of approvals that are pending and were asked for by the person, or wait for a role that the person holds. */
  readonly pendingApprovals: readonly string[];
  /** Time entries and expenses that are neither rejected nor settled. */
  readonly unsettledWork: number;
  /** Events and files about the person that were taken and are not applied yet. */
  readonly unsettledEvents: number;
  /** Ids of legal holds that reach the person or a deal with data of the person. */
  readonly holds: readonly string[];
}

/**
 * Refuses to erase somebody who is still needed or whose data is under a legal hold, with everything that has to be done first: the code
 * is that of the first, `errors` name all.
 */
export function refuseErasure(facts: ErasureFacts): InvalidInput | null {
  const found: Violation[] = [
    ...(facts.isErased ? [{ violation: 'PersonErased', detail: 'the person is erased already' }] : []),
    ...refuseHeld(facts.holds),
    ...(facts.isActive || facts.rolesHeld > 0
      ? [
          {
            violation: 'PersonStillActive',
            detail: `in the master data: ${facts.isActive ? 'yes' : 'no'}, roles and seats: ${facts.rolesHeld}`,
          },
        ]
      : []),
    ...named('ApprovalsPending', facts.pendingApprovals),
    ...counted('WorkUnsettled', facts.unsettledWork, 'time entries and expenses'),
    ...counted('EventsUnsettled', facts.unsettledEvents, 'events and files'),
  ];
  const [first] = found;
  return first === undefined ? null : { ...first, errors: found };
}

/** Refuses whatever would erase what is under a legal hold, and names the holds. */
export function refuseHeld(holds: readonly string[]): Violation[] {
  return named('LegalHoldInForce', holds);
}

export type ErasureState = 'requested' | 'granted' | 'refused' | 'done';

/** An erasure as its decision looks at it. `requestedBy` is null where the retention policy asked. */
export interface AskedErasure {
  readonly state: ErasureState;
  readonly userId: string | null;
  readonly requestedBy: string | null;
}

/** Grants or refuses an erasure: decided once, by somebody who neither asked for it nor is its subject. */
export function decideErasure(
  erasure: AskedErasure,
  { by, verdict }: { readonly by: string; readonly verdict: 'grant' | 'refuse' },
): 'granted' | 'refused' | Violation {
  if (by === erasure.requestedBy || by === erasure.userId)
    return { violation: 'ErasureOwnDecision', detail: 'a second person decides, who is not the one to be erased' };
  if (erasure.state !== 'requested') return { violation: 'ErasureSettled', detail: erasure.state };
  return verdict === 'grant' ? 'granted' : 'refused';
}

function named(violation: string, ids: readonly string[]): Violation[] {
  return ids.length === 0 ? [] : [{ violation, detail: ids.slice(0, 20).join(', ') }];
}

function counted(violation: string, count: number, what: string): Violation[] {
  return count === 0 ? [] : [{ violation, detail: `${count} ${what}` }];
}
