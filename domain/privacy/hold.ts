import { type Violation } from '../violation';

/** A legal hold as its release looks at it. */
export interface StandingHold {
  readonly placedBy: string;
  readonly releasedAt: string | null;
}

/** Refuses to release a hold that is released already, or by whoever placed it: a second person agrees that nothing is needed any more. */
export function refuseRelease(hold: StandingHold, by: string): Violation | null {
  if (hold.releasedAt !== null) return { violation: 'LegalHoldReleased', detail: hold.releasedAt };
  return hold.placedBy === by ? { violation: 'LegalHoldOwnRelease', detail: 'a second person releases it' } : null;
}
