import { allHandlersFinished, condition, log, setHandler } from '@temporalio/workflow';
import type { ClockState } from '../contracts/workflow-state';
import { Story } from './activity-proxies';
import { BusinessClock, clockSignal } from './clock';
import { OneAtATime } from './one-at-a-time';
import { Presence } from './presence';

/** What every lifecycle has: its clock, its story of effects, one handler at a time, and how it shows itself. */
export interface Lifecycle {
  readonly clock: BusinessClock;
  readonly story: Story;
  readonly one: OneAtATime;
  readonly presence: Presence;
}

/** Opens a lifecycle and its common handlers; called before the first await. */
export function openLifecycle(state: ClockState): Lifecycle {
  const clock = new BusinessClock(state);
  setHandler(clockSignal, (moment) => {
    if (clock.simulated) clock.follow(moment);
    else log.warn('clock signal refused outside a simulation');
  });
  return { clock, story: new Story(clock), one: new OneAtATime(), presence: new Presence() };
}

/** Before every return and every continue-as-new: no handler may be cut off half-way (D3). */
export async function settled(): Promise<void> {
  await condition(allHandlersFinished);
}
