import { addDays, isWorkingDay, mondayOf, monthOf } from './days';
import { calendarOf } from './document';
import { compare, fraction, minus, plus, sum, times, zero, type Fraction } from './fraction';
import { deliveryEnd } from './runs';
import { checkedEntries, personOf } from './time';
import { type RawLabourRule, type WholeFolder } from './whole-folder';

export interface Breach {
  readonly code: string;
  readonly reference: string;
}

const EIGHT = fraction(8);

/**
 * Limits of the country of residence and weeks without time (S-21, S-22, S-39). A rule that refines another takes from it what it does
 * not say itself; contractors and people exempt from overtime are checked like everybody. Average windows begin on the first Monday of
 * the deal and end with the week in which delivery ends (S-47).
 */
export function labourBreaches(folder: WholeFolder): Breach[] {
  const entries = checkedEntries(folder).filter(({ duplicate }) => !duplicate);
  const people = [...new Set(entries.map(({ row }) => row.person_id ?? ''))].sort();
  const byPerson = new Map(people.map((person) => [person, new Map<string, Fraction>()]));
  for (const { row } of entries) add(byPerson.get(row.person_id ?? ''), row.work_date ?? '', fraction(row.hours ?? ''));
  return [
    ...people.flatMap((person) => overLimits(folder, person, byPerson.get(person) ?? new Map<string, Fraction>())),
    ...missingWeeks(folder, byPerson),
  ];
}

type Hours = Map<string, Fraction>;

function add(hours: Hours | undefined, key: string, value: Fraction): void {
  hours?.set(key, plus(hours.get(key) ?? zero, value));
}

function overLimits(folder: WholeFolder, person: string, days: Hours): Breach[] {
  const { country = '', calendar_id: calendarId = '' } = personOf(folder, person);
  const rule = ruleOf(folder.labourRules, country);
  const calendar = calendarOf(folder, calendarId);
  const weeks: Hours = new Map();
  const overtime: Hours = new Map();
  for (const [day, hours] of days) {
    add(weeks, mondayOf(day), hours);
    const beyond = minus(hours, EIGHT);
    if (!isWorkingDay(calendar, day)) add(overtime, monthOf(day), hours);
    else if (compare(beyond, zero) > 0) add(overtime, monthOf(day), beyond);
  }
  return [
    ...above(days, rule.dailyMaxHours, 'DAY_OVER_LIMIT', person),
    ...above(weeks, rule.weeklyMaxHours, 'WEEK_OVER_LIMIT', person),
    ...above(
      averages(folder, weeks, rule.referenceWeeks),
      rule.weeklyAverageMaxHours,
      'AVERAGE_WEEK_OVER_LIMIT',
      person,
      rule.referenceWeeks,
    ),
    ...above(overtime, rule.monthlyOvertimeMaxHours, 'MONTHLY_OVERTIME_OVER_LIMIT', person),
  ];
}

/** Sums of hours of every full window, by the Monday of its first week. */
function averages(folder: WholeFolder, weeks: Hours, length: number | undefined): Hours {
  const windows: Hours = new Map();
  if (length === undefined) return windows;
  const end = addDays(mondayOf(deliveryEnd(folder.deal)), 6);
  const first = mondayOf(addDays(folder.deal.startDate, 6));
  for (let monday = first; addDays(monday, 7 * length - 1) <= end; monday = addDays(monday, 7)) {
    const inside = Array.from({ length }, (_, index) => weeks.get(addDays(monday, 7 * index)) ?? zero);
    windows.set(monday, sum(inside));
  }
  return windows;
}

function above(hours: Hours, limit: string | undefined, code: string, person: string, weeks = 1): Breach[] {
  if (limit === undefined) return [];
  const beyond = [...hours].filter(([, each]) => compare(each, times(fraction(limit), fraction(weeks))) > 0);
  return beyond.map(([key]) => ({ code, reference: `${person}/${key}` }));
}

function ruleOf(rules: readonly RawLabourRule[], country: string): Partial<RawLabourRule> {
  const own = rules.find(({ appliesTo }) => appliesTo.includes(country));
  return { ...rules.find(({ id }) => id === own?.refines), ...own };
}

/** Weeks in which a firm booking of the project covers a working day without leave, but no time is there, from the deal's start to the end of delivery. */
function missingWeeks(folder: WholeFolder, byPerson: ReadonlyMap<string, Hours>): Breach[] {
  const firm = folder.bookings.filter(({ status }) => status === 'firm');
  const covered = (person: string, kinds: readonly string[], day: string): boolean =>
    firm.some(
      (row) => row.person_id === person && kinds.includes(row.kind ?? '') && (row.start_date ?? '') <= day && day <= (row.end_date ?? ''),
    );
  const booked = [...new Set(firm.filter(({ kind }) => kind === 'project').map((row) => row.person_id ?? ''))];
  const days = daysBetween(folder.deal.startDate, deliveryEnd(folder.deal));
  return booked.flatMap((person) => {
    const calendar = calendarOf(folder, personOf(folder, person).calendar_id ?? '');
    const worked = new Set([...(byPerson.get(person)?.keys() ?? [])].map(mondayOf));
    const due = days.filter(
      (day) => isWorkingDay(calendar, day) && covered(person, ['project'], day) && !covered(person, ['leave', 'long_leave'], day),
    );
    const weeks = [...new Set(due.map(mondayOf))].filter((monday) => !worked.has(monday));
    return weeks.map((monday) => ({ code: 'MISSING_WEEK', reference: `${person}/${monday}` }));
  });
}

function daysBetween(from: string, to: string): string[] {
  const days: string[] = [];
  for (let day = from; day <= to; day = addDays(day, 1)) days.push(day);
  return days;
}
