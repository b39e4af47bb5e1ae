import { monthOf } from '../calendar/dates';
import { type Instant, type Month, type RetainerLine } from '../deal/terms';
import { absolute, compare, isNegative, isZero, min, minus, plus, sum, type Decimal } from '../decimal';
import { multiplyMoney, type Money } from '../money';
import { type Violation } from '../violation';
import { termsInMonth } from './dated-terms';
import { counts, drawdown, hoursByMonth } from './drawdown';
import { type BilledHours, type OverageFacts, type Stopped } from './follow-up';
import { type OpenPoint, type TimeFact } from './model';

/** A retainer as it stands. */
export type StandingRetainer = RetainerLine & Stopped;

/** The overage of a month of work in exact hours: `open` = `hours` − `billed` − `waived`, negative where more is billed than was used. */
export interface OverageMonth {
  readonly period: Month;
  readonly hours: Decimal;
  readonly billed: Decimal;
  readonly waived: Decimal;
  readonly open: Decimal;
}

/** Time of the line, and what became of its overage. */
export interface OverageState {
  readonly time: readonly TimeFact[];
  readonly overage: OverageFacts;
}

/**
 * Where the overage of each month stands (R-180, S-17, S-40): the drawdown of all hours approved before `before` (all that are, without
 * it), against what documents and decisions have settled. An hour approved late counts in its month of work, and where it takes
 * rolled-over hours from later months, their overage rises with it.
 */
export function overageMonths(line: StandingRetainer, { time, overage }: OverageState, before?: Instant): OverageMonth[] {
  const billed = billedByMonth(time, overage.billed);
  return drawdown(line, hoursByMonth(counted(line, time, before))).map(({ period, overageHours: hours }) => {
    const settled = { billed: billed[period] ?? '0', waived: overage.waived[period] ?? '0' };
    return { period, hours, ...settled, open: minus(minus(hours, settled.billed), settled.waived) };
  });
}

/** Price of a month's hours by its terms, half-up on the month: its documents sum to it however many there are (R-180, I-04). */
export function overageAmount(line: StandingRetainer, hours: Decimal): Money {
  return multiplyMoney(line.overageRatePerHour, hours, 'half-up');
}

/** Overage that is neither billed nor waived, or billed too much: it keeps a line from its end. */
export function unsettledOverage(line: StandingRetainer, facts: OverageState): OpenPoint[] {
  return overageMonths(line, facts)
    .filter((month) => isOpen(line, month))
    .map((month) => openPoint(line, month));
}

/**
 * Which hours of which entries carry the open hours of a month (I-05): those approved since the last run of the month first, then by work
 * date, then id, taken from the end. An entry that lies partly inside the covered hours is billed in part; when its rest becomes overage
 * too, that is a part of its own. What an entry has on documents never exceeds its hours.
 */
export function overageParts(
  line: StandingRetainer,
  { time, overage }: OverageState,
  month: OverageMonth,
  before?: Instant,
): BilledHours[] {
  const since = lastCutOff(overage, month.period, before);
  const isLate = (entry: TimeFact): number => (since !== null && !isBefore(entry.approvedAt, since) ? 1 : 0);
  const entries = counted(line, time, before)
    .filter((entry) => monthOf(entry.workDate) === month.period)
    .sort((a, b) => isLate(a) - isLate(b) || byText(a.workDate, b.workDate) || byText(a.entryId, b.entryId));
  const parts: BilledHours[] = [];
  let left = month.open;
  for (const entry of entries.reverse()) {
    const billed = overage.billed.filter((each) => each.entryId === entry.entryId);
    const hours = min(left, minus(entry.hours, sum(billed.map((each) => each.hours))));
    if (compare(hours, '0') <= 0) continue;
    parts.push({ entryId: entry.entryId, part: Math.max(0, ...billed.map((each) => each.part)) + 1, hours });
    left = minus(left, hours);
  }
  return parts.reverse();
}

/**
 * Why finance may not decide so: nothing of the month is open, or it asks for more than is open. Hours are positive where they shall
 * not be billed, and negative where too many shall stay billed.
 */
export function refuseWaiver(line: StandingRetainer, facts: OverageState, period: Month, hours: Decimal): Violation | null {
  const open = overageMonths(line, facts).find((month) => month.period === period)?.open ?? '0';
  if (isZero(open)) return { violation: 'OverageNotOpen', detail: `no overage hours of ${period} are open`, path: '/period' };
  const isInside = !isZero(hours) && isNegative(hours) === isNegative(open) && compare(absolute(hours), absolute(open)) <= 0;
  return isInside ? null : { violation: 'WaiverExceedsOverage', detail: `${open} hours of ${period} are open`, path: '/hours' };
}

/** True where nothing of a month is left to bill or to decide. */
export function isSettled(line: StandingRetainer, facts: OverageState, period: Month): boolean {
  return overageMonths(line, facts).every((month) => month.period !== period || !isOpen(line, month));
}

/** Counted entries: approved, billable, not worked after the line was stopped, and approved before a moment where one is given. */
function counted(line: StandingRetainer, time: readonly TimeFact[], before: Instant | undefined): TimeFact[] {
  const last = line.stoppedOn ?? line.endDate;
  return time.filter(
    (entry) =>
      counts(entry) &&
      (line.stoppedOn === undefined || entry.workDate <= last) &&
      (before === undefined || isBefore(entry.approvedAt, before)),
  );
}

function billedByMonth(time: readonly TimeFact[], billed: readonly BilledHours[]): Record<Month, Decimal> {
  const monthOfEntry = new Map(time.map((entry) => [entry.entryId, monthOf(entry.workDate)]));
  const hours: Record<Month, Decimal> = {};
  for (const part of billed) {
    const month = monthOfEntry.get(part.entryId);
    if (month !== undefined) hours[month] = plus(hours[month] ?? '0', part.hours);
  }
  return hours;
}

/** True where hours of a month are left to bill or to decide; hours whose price comes to nothing need nobody's decision. */
export function isOpen(line: StandingRetainer, month: OverageMonth): boolean {
  if (isZero(month.open)) return false;
  const terms = termsInMonth(line, month.period);
  return overageAmount(terms, plus(month.billed, month.open)).minor !== overageAmount(terms, month.billed).minor;
}

/** What finance is asked about a month. */
export function openPoint(line: StandingRetainer, { period, open }: OverageMonth): OpenPoint {
  const action =
    compare(open, '0') > 0 ? `bill or waive ${open} overage hours` : `decide on ${minus('0', open)} overage hours billed too many`;
  return { code: 'OverageNotBilled', stage: 'billing', subject: `${line.lineId}/${period}`, ownerRole: 'finance-controller', action };
}

function lastCutOff({ runs }: OverageFacts, period: Month, before: Instant | undefined): Instant | null {
  const cutOffs = runs.filter((run) => run.period === period && (before === undefined || isBefore(run.cutOff, before)));
  return cutOffs.map((run) => run.cutOff).sort((a, b) => Date.parse(b) - Date.parse(a))[0] ?? null;
}

function isBefore(moment: Instant | null, other: Instant): boolean {
  return moment !== null && Date.parse(moment) < Date.parse(other);
}

function byText(a: string, b: string): -1 | 0 | 1 {
  return a < b ? -1 : a > b ? 1 : 0;
}
