import { isWorkingDay } from '../calendar/working-day';
import { type LocalDate } from '../deal/terms';
import { compare, minus, plus, times, type Decimal } from '../decimal';
import { known, type PolicyPerson, type TimeBreach, type TimeEntry } from './entry';
import { labourLimits, type LabourLimits, type LabourRule } from './labour-rules';
import { mondayReader, mondaysBetween } from './weeks';

/** The days over which a deal is delivered, both included. */
export interface DeliveryTerm {
  readonly from: LocalDate;
  readonly to: LocalDate;
}

/** Hours of a day beyond which the month counts overtime, where the rule names no norm (S-21). */
const DAILY_NORM = '8';

type Hours = ReadonlyMap<string, Decimal>;

/**
 * Breaches of labour limits, passed only where strictly exceeded (R-115, S-21): hours a day, hours a week from Monday to Sunday, the
 * average of every full window of weeks inside the delivery term (weeks without time count zero), and overtime a month, which is the hours
 * above the norm on working days and all hours on rest days. `entries` are those that count (S-22). One pass over the entries, then one over
 * each person's days.
 */
export function labourBreaches(
  entries: readonly TimeEntry[],
  people: ReadonlyMap<string, PolicyPerson>,
  rules: readonly LabourRule[],
  term: DeliveryTerm,
): TimeBreach[] {
  const weeks = mondaysBetween(term.from, term.to);
  const mondayOf = mondayReader();
  return [...hoursByDay(entries)].flatMap(([personId, days]) => {
    const person = known(people, personId);
    const limits = labourLimits(rules, person.labourCountries);
    if (limits.length === 0) return [];
    const perWeek = summed(days, mondayOf);
    return [
      ...above('DAY_OVER_LIMIT', personId, days, lowest(limits, 'dailyMaxHours')),
      ...above('WEEK_OVER_LIMIT', personId, perWeek, lowest(limits, 'weeklyMaxHours')),
      ...averages(personId, perWeek, weeks, limits),
      ...overtime(person, days, limits),
    ];
  });
}

function hoursByDay(entries: readonly TimeEntry[]): Map<string, Map<LocalDate, Decimal>> {
  const people = new Map<string, Map<LocalDate, Decimal>>();
  for (const { personId, workDate, hours } of entries) {
    let days = people.get(personId);
    if (days === undefined) people.set(personId, (days = new Map<LocalDate, Decimal>()));
    days.set(workDate, plus(days.get(workDate) ?? '0', hours));
  }
  return people;
}

function summed(days: Hours, keyOf: (date: LocalDate) => string): Map<string, Decimal> {
  const totals = new Map<string, Decimal>();
  for (const [date, hours] of days) {
    const key = keyOf(date);
    totals.set(key, plus(totals.get(key) ?? '0', hours));
  }
  return totals;
}

function above(code: TimeBreach['code'], personId: string, hours: Hours, limit: Decimal | null): TimeBreach[] {
  if (limit === null) return [];
  return [...hours].filter(([, worked]) => compare(worked, limit) > 0).map(([key]) => ({ code, reference: `${personId}/${key}` }));
}

/** The window moves week by week: what enters is added, what leaves is taken off. */
function averages(personId: string, perWeek: Hours, weeks: readonly LocalDate[], limits: readonly LabourLimits[]): TimeBreach[] {
  const first = new Set<LocalDate>();
  for (const { weeklyAverage } of limits) {
    if (weeklyAverage === null) continue;
    const { maxHours, referenceWeeks } = weeklyAverage;
    const allowed = times(maxHours, String(referenceWeeks));
    let inWindow = '0';
    weeks.forEach((monday, index) => {
      inWindow = plus(inWindow, perWeek.get(monday) ?? '0');
      const left = weeks[index - referenceWeeks];
      if (left !== undefined) inWindow = minus(inWindow, perWeek.get(left) ?? '0');
      const start = weeks[index - referenceWeeks + 1];
      if (start !== undefined && compare(inWindow, allowed) > 0) first.add(start);
    });
  }
  return [...first].sort().map((monday) => ({ code: 'AVERAGE_WEEK_OVER_LIMIT', reference: `${personId}/${monday}` }));
}

function overtime(person: PolicyPerson, days: Hours, limits: readonly LabourLimits[]): TimeBreach[] {
  const months = new Set<string>();
  for (const { monthlyOvertimeMaxHours, dailyNormHours } of limits) {
    if (monthlyOvertimeMaxHours === null) continue;
    const beyond = new Map<LocalDate, Decimal>();
    for (const [date, hours] of days) beyond.set(date, overtimeOf(person, date, hours, dailyNormHours ?? DAILY_NORM));
    for (const [month, hours] of summed(beyond, (date) => date.slice(0, 7)))
      if (compare(hours, monthlyOvertimeMaxHours) > 0) months.add(month);
  }
  return [...months].sort().map((month) => ({ code: 'MONTHLY_OVERTIME_OVER_LIMIT', reference: `${person.personId}/${month}` }));
}

function overtimeOf(person: PolicyPerson, date: LocalDate, hours: Decimal, norm: Decimal): Decimal {
  if (!isWorkingDay(person.calendar, date)) return hours;
  return compare(hours, norm) > 0 ? minus(hours, norm) : '0';
}

function lowest(limits: readonly LabourLimits[], limit: 'dailyMaxHours' | 'weeklyMaxHours'): Decimal | null {
  return limits
    .map((each) => each[limit])
    .reduce((strictest, each) => (strictest === null || (each !== null && compare(each, strictest) < 0) ? each : strictest), null);
}
