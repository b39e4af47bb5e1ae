import { condition, type SignalDefinition, defineSignal } from '@temporalio/workflow';
import type { ClockState } from '../contracts/workflow-state';

/** Moves the business clock of a run in a simulation; refused (ignored, and said so in the log) outside one (D2). */
export const clockSignal: SignalDefinition<[string]> = defineSignal('clock');

/**
 * The only reader of time in workflows (D1). In production business time is workflow time. In a simulation it stands
 * still at the moment last told, by the driver or by a message, and never goes back; deadlines arm real timers in both.
 */
export class BusinessClock {
  private moment: number | null;
  private revision = 0;

  constructor(state: ClockState) {
    this.moment = state.simulated ? Date.parse(state.moment) : null;
  }

  /** The business moment, ISO 8601 with `Z`. */
  now(): string {
    return new Date(this.nowMillis()).toISOString();
  }

  get simulated(): boolean {
    return this.moment !== null;
  }

  /** What children and the next run are started with. */
  state(): ClockState {
    return this.moment === null ? { simulated: false } : { simulated: true, moment: this.now() };
  }

  /** A message or a child's result carries its moment: in a simulation the clock follows it, in production it is a fact only. */
  follow(moment: string): void {
    const told = Date.parse(moment);
    if (this.moment === null || !(told > this.moment)) return;
    this.moment = told;
    this.revision += 1;
  }

  /** True when the business moment has come. */
  reached(moment: string): boolean {
    return this.nowMillis() >= Date.parse(moment);
  }

  /**
   * Waits until `met` holds, or until the moment `due` (null: without end). A real timer is armed for the rest of the
   * time and armed anew when the clock moves. `summary` is what an operator reads beside the timer.
   */
  async wait(met: () => boolean, due: string | null, summary: string): Promise<'met' | 'due'> {
    for (;;) {
      if (met()) return 'met';
      if (due !== null && this.reached(due)) return 'due';
      const seen = this.revision;
      const stirred = (): boolean => met() || this.revision !== seen;
      if (due === null) await condition(stirred);
      else if (!(await condition(stirred, Date.parse(due) - this.nowMillis(), { summary }))) this.follow(due);
    }
  }

  private nowMillis(): number {
    return this.moment ?? Date.now();
  }
}

/** The earliest of some moments, null where there is none. */
export function earliest(moments: readonly (string | null | undefined)[]): string | null {
  let first: string | null = null;
  for (const moment of moments) if (moment && (first === null || Date.parse(moment) < Date.parse(first))) first = moment;
  return first;
}
