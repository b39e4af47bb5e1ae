import { type Month, type RetainerLine } from '../deal/terms';
import { compare, min, minus, plus, sum, type Decimal } from '../decimal';
import { monthOf } from '../calendar/dates';
import { termMonths } from '../deal/amount';
import { termsInMonth } from './dated-terms';
import { type TimeFact } from './model';

/**
 * One month of a retainer in exact hours. `rolledIn` + included = `fromRollover` + `fromIncluded` + `rolledOut` + `expired`, and
 * `used` = `fromRollover` + `fromIncluded` + `overageHours`. `rolledOut` is what the next month starts with.
 */
export interface DrawdownMonth {
  readonly period: Month;
  readonly used: Decimal;
  readonly rolledIn: Decimal;
  readonly fromRollover: Decimal;
  readonly fromIncluded: Decimal;
  readonly overageHours: Decimal;
  readonly rolledOut: Decimal;
  readonly expired: Decimal;
}

/** Hours left over from a month; they lapse at the end of `lastMonthIndex`. */
interface Carried {
  readonly hours: Decimal;
  readonly lastMonthIndex: number;
}

/**
 * Draws the hours of each month from the rolled-over hours first (the oldest first), then from the included ones; the rest is overage
 * (R-036, S-17). Unused included hours roll on up to the line's limit for its number of months and then expire; nothing rolls out of the
 * last month. A month in part includes the whole number of hours.
 */
export function drawdown(line: RetainerLine, hoursByMonth: Readonly<Record<Month, Decimal>>): DrawdownMonth[] {
  const months = termMonths(line);
  let carried: readonly Carried[] = [];
  return months.map((period, index) => {
    const terms = termsInMonth(line, period);
    const used = hoursByMonth[period] ?? '0';
    const rolledIn = sum(carried.map((each) => each.hours));
    const fromRollover = min(used, rolledIn);
    const fromIncluded = min(minus(used, fromRollover), terms.includedHoursPerMonth);
    const unused = minus(terms.includedHoursPerMonth, fromIncluded);
    const left = [...takeOldest(carried, fromRollover), ...roll(terms, unused, index)].filter((each) => compare(each.hours, '0') > 0);
    carried = index === months.length - 1 ? [] : left.filter((each) => each.lastMonthIndex > index);
    const rolledOut = sum(carried.map((each) => each.hours));
    const expired = minus(plus(minus(rolledIn, fromRollover), unused), rolledOut);
    return {
      period,
      used,
      rolledIn,
      fromRollover,
      fromIncluded,
      overageHours: minus(minus(used, fromRollover), fromIncluded),
      rolledOut,
      expired,
    };
  });
}

/** Approved, billable hours by month of work date; hours of every role count alike (R-036, S-17, S-07). */
export function hoursByMonth(time: readonly TimeFact[]): Record<Month, Decimal> {
  const hours: Record<Month, Decimal> = {};
  for (const entry of time.filter(counts)) hours[monthOf(entry.workDate)] = plus(hours[monthOf(entry.workDate)] ?? '0', entry.hours);
  return hours;
}

/** Time that is drawn: approved and billable (R-036, S-07). */
export function counts(entry: TimeFact): boolean {
  return entry.billable && entry.approvedAt !== null;
}

function takeOldest(carried: readonly Carried[], hours: Decimal): Carried[] {
  let left = hours;
  return carried.map((each) => {
    const taken = min(left, each.hours);
    left = minus(left, taken);
    return { ...each, hours: minus(each.hours, taken) };
  });
}

function roll(line: RetainerLine, unused: Decimal, index: number): Carried[] {
  return line.rollover === null ? [] : [{ hours: min(unused, line.rollover.maxHours), lastMonthIndex: index + line.rollover.months }];
}
