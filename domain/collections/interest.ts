import { daysBetween } from '../calendar/dates';
import { type LocalDate } from '../deal/terms';
import { plus, times, type Decimal } from '../decimal';
import { multiplyByRatio, type Money } from '../money';
import { type Receivable } from './ageing';

const DAYS_OF_A_YEAR = '36500';

/**
 * Interest that an invoice has earned by the end of a day (R-077, S-34): for each part, amount × days from the day after the due date to the
 * day of its payment, or to `asOf` for what is open, × percent / 365, simple. Days are not rounded singly, the sum is rounded half-up. A rest
 * that was given up counts as paid; a payment that came back as never made. Never posted by itself: claiming it is a decision.
 */
export function interestOn(receivable: Receivable, percentPerYear: Decimal, asOf: LocalDate): Money {
  const parts = receivable.reductions.filter(({ on }) => on <= asOf);
  const open = receivable.totalMinor - parts.reduce((sum, { amountMinor }) => sum + amountMinor, 0);
  const late = [...parts, { on: asOf, amountMinor: open }].reduce(
    (sum, { on, amountMinor }) => plus(sum, times(String(amountMinor), String(Math.max(0, daysBetween(receivable.dueDate, on))))),
    '0',
  );
  return multiplyByRatio({ minor: 1, currency: receivable.currency }, times(late, percentPerYear), DAYS_OF_A_YEAR, 'half-up');
}
