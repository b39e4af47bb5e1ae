import { type ClockState } from '../contracts/workflow-state';
import { type Starter } from './deps';
import { type RunStart } from './gateway/starts';

/** What begins the run of a policy where none is open. */
export function policyRunStart(deps: Starter, kind: string, entityId: string | null, moment: string): RunStart {
  const clock: ClockState = deps.config.simulation ? { simulated: true, moment } : { simulated: false };
  return { policy: { kind, entityId, clock } };
}
