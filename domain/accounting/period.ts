import { nextMonth } from '../calendar/dates';
import { runCutOff } from '../billing/dates';
import { type Instant, type Month } from '../deal/terms';

export type PeriodState = 'open' | 'soft-closed' | 'closed';

export interface AccountingPeriod {
  readonly period: Month;
  readonly state: PeriodState;
}

/** Days of the next month at whose start, in the entity's time zone, a month is soft-closed and closed. */
export interface ClosingPolicy {
  readonly softCloseDay: number;
  readonly closeDay: number;
}

export interface ClosingStep {
  readonly action: 'soft-close' | 'close';
  readonly period: Month;
  readonly at: Instant;
}

/**
 * What closes next: the first open month is soft-closed, which recognises its revenue, and the first soft-closed one is closed, each
 * at its day; months go one after the other. Null where every month is closed.
 */
export function nextClosingStep(periods: readonly AccountingPeriod[], policy: ClosingPolicy, timeZone: string): ClosingStep | null {
  const ordered = [...periods].sort((a, b) => (a.period < b.period ? -1 : 1));
  const open = ordered.find(({ state }) => state === 'open');
  const soft = ordered.find(({ state }) => state === 'soft-closed');
  const steps: ClosingStep[] = [
    ...(soft === undefined
      ? []
      : [{ action: 'close', period: soft.period, at: runCutOff(soft.period, timeZone, policy.closeDay) } as const]),
    ...(open === undefined
      ? []
      : [{ action: 'soft-close', period: open.period, at: runCutOff(open.period, timeZone, policy.softCloseDay) } as const]),
  ];
  const [first = null, second = null] = steps;
  return first !== null && second !== null && second.at < first.at ? second : first;
}

/** Months from the first to the last one that are not there yet, in order; they follow each other without a gap. */
export function missingPeriods(known: readonly Month[], first: Month, last: Month): Month[] {
  const missing: Month[] = [];
  for (let month = first; month <= last; month = nextMonth(month)) if (!known.includes(month)) missing.push(month);
  return missing;
}
