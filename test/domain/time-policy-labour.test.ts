import * as fc from 'fast-check';
import { type TimeEntry } from '../../domain/time-policy/entry';
import { type LabourRule } from '../../domain/time-policy/labour-rules';
import { labourBreaches } from '../../domain/time-policy/labour';
import { missingWeeks, submissionBreaches, type PolicyBooking } from '../../domain/time-policy/submission';
import { mondayOf, mondaysBetween } from '../../domain/time-policy/weeks';
import { days, entry, person } from './time-policy-builders';

describe('weeks', () => {
  test.each([
    ['2026-03-01', '2026-02-23'],
    ['2026-03-02', '2026-03-02'],
    ['2026-03-08', '2026-03-02'],
    ['1969-12-31', '1969-12-29'],
  ])('%s belongs to the week of %s', (date, monday) => {
    expect(mondayOf(date)).toBe(monday);
  });

  test('the weeks of a term start with its first Monday and end with the week of its last day', () => {
    const weeks = mondaysBetween('2026-02-01', '2026-09-30');
    expect([weeks[0], weeks.at(-1), weeks.length]).toEqual(['2026-02-02', '2026-09-28', 35]);
  });
});

describe('labour limits', () => {
  const rule = (changes: Partial<LabourRule> = {}): LabourRule => ({
    ruleId: 'LR-1',
    appliesTo: ['XX'],
    refines: null,
    dailyNormHours: null,
    dailyMaxHours: null,
    weeklyMaxHours: null,
    weeklyAverage: null,
    monthlyOvertimeMaxHours: null,
    ...changes,
  });
  const term = { from: '2026-02-01', to: '2026-09-30' };
  const check = (entries: readonly TimeEntry[], rules: readonly LabourRule[], countries: readonly string[] = ['XX']) =>
    labourBreaches(entries, new Map([['P-1', person('P-1', countries)]]), rules, term).map(({ code, reference }) => `${code} ${reference}`);

  test('a day is over the limit only when strictly above it, whatever the entries are made of', () => {
    const two = [entry({ hours: '6' }), entry({ entryId: 'T-2', hours: '4', hourType: 'overtime' })];
    expect(check(two, [rule({ dailyMaxHours: '10' })])).toEqual([]);
    expect(check([...two, entry({ entryId: 'T-3', hours: '0.25' })], [rule({ dailyMaxHours: '10' })])).toEqual([
      'DAY_OVER_LIMIT P-1/2026-03-04',
    ]);
  });

  test('a week runs from Monday to Sunday', () => {
    const week = days('2026-03-02', ['8', '8', '8', '8', '8', '4', '4']);
    expect(check(week, [rule({ weeklyMaxHours: '48' })])).toEqual([]);
    expect(check(week, [rule({ weeklyMaxHours: '47.75' })])).toEqual(['WEEK_OVER_LIMIT P-1/2026-03-02']);
    expect(check(days('2026-03-05', ['8', '8', '8', '8', '8', '8', '8']), [rule({ weeklyMaxHours: '32' })])).toEqual([]);
  });

  test('an average is taken over every full window, empty weeks count zero, and is named by its first week', () => {
    const three = { maxHours: '40', referenceWeeks: 3 };
    const work = [...days('2026-02-09', ['10', '10', '10', '10', '10']), ...days('2026-02-16', ['10', '10', '10', '10', '10'])];
    expect(check([...work, ...days('2026-02-23', ['10', '10'])], [rule({ weeklyAverage: three })])).toEqual([]);
    expect(check([...work, ...days('2026-02-23', ['10', '10.25'])], [rule({ weeklyAverage: three })])).toEqual([
      'AVERAGE_WEEK_OVER_LIMIT P-1/2026-02-09',
    ]);
  });

  test('no window reaches beyond the term', () => {
    const rules = [rule({ weeklyAverage: { maxHours: '10', referenceWeeks: 2 } })];
    const long = ['10', '10', '10', '10', '10', '0', '0'];
    expect(check(days('2026-01-26', long), rules)).toEqual([]);
    expect(check(days('2026-09-28', long), rules)).toEqual(['AVERAGE_WEEK_OVER_LIMIT P-1/2026-09-21']);
    expect(check(days('2026-10-05', long), rules)).toEqual([]);
  });

  test('overtime of a month: hours above the norm on working days, all hours on rest days', () => {
    const month = [...days('2026-03-02', ['10', '8', '7']), ...days('2026-03-07', ['3']), ...days('2026-04-01', ['12'])];
    expect(check(month, [rule({ monthlyOvertimeMaxHours: '5' })])).toEqual([]);
    expect(check(month, [rule({ monthlyOvertimeMaxHours: '4.75' })])).toEqual(['MONTHLY_OVERTIME_OVER_LIMIT P-1/2026-03']);
    expect(check(month, [rule({ monthlyOvertimeMaxHours: '5', dailyNormHours: '7' })])).toEqual([
      'MONTHLY_OVERTIME_OVER_LIMIT P-1/2026-03',
    ]);
  });

  test('the stricter of two countries wins, and a rule takes what it leaves out from the one that it refines', () => {
    const rules = [
      rule({ ruleId: 'LR-0', appliesTo: [], dailyMaxHours: '9', weeklyMaxHours: '100' }),
      rule({ refines: 'LR-0', dailyMaxHours: '10' }),
      rule({ ruleId: 'LR-2', appliesTo: ['YY'], refines: 'LR-0' }),
    ];
    const day = [entry({ hours: '9.5' })];
    expect(check(day, rules, ['XX'])).toEqual([]);
    expect(check(day, rules, ['XX', 'YY'])).toEqual(['DAY_OVER_LIMIT P-1/2026-03-04']);
    expect(check(day, rules, ['ZZ'])).toEqual([]);
  });

  test('a rule that refines itself is a bug', () => {
    const circle = [rule({ refines: 'LR-2' }), rule({ ruleId: 'LR-2', appliesTo: [], refines: 'LR-1' })];
    expect(() => check([entry()], circle)).toThrow('refines itself');
  });

  test('the window that moves week by week finds what adding up every window finds', () => {
    const weeks = mondaysBetween(term.from, term.to);
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 24 }), { minLength: 35, maxLength: 35 }),
        fc.integer({ min: 1, max: 36 }),
        (hours, referenceWeeks) => {
          const work = weeks.flatMap((monday, index) => days(monday, [String(hours[index] ?? 0)]));
          const expected = weeks.filter(
            (_, index) =>
              index + referenceWeeks <= weeks.length &&
              hours.slice(index, index + referenceWeeks).reduce((a, b) => a + b, 0) > 12 * referenceWeeks,
          );
          expect(check(work, [rule({ weeklyAverage: { maxHours: '12', referenceWeeks } })])).toEqual(
            expected.map((monday) => `AVERAGE_WEEK_OVER_LIMIT P-1/${monday}`),
          );
        },
      ),
    );
  });
});

describe('time that came late, waits or is missing', () => {
  const people = new Map([['P-1', person('P-1')]]);

  test.each([
    ['2026-03-09T16:00:00Z', []],
    ['2026-03-09T16:00:00.001Z', ['LATE_SUBMISSION']],
  ])('a week is due on Monday noon after it, in the zone of the person: %s', (submittedAt, codes) => {
    const all = ['2026-03-02', '2026-03-08'].map((workDate) => entry({ workDate, submittedAt }));
    expect(submissionBreaches(all, people).map((each) => each.code)).toEqual([...codes, ...codes]);
  });

  test('a submitted entry waits for approval, and may be late as well', () => {
    const waiting = entry({ status: 'submitted', approvedAt: null, submittedAt: '2026-04-01T00:00:00Z' });
    expect(submissionBreaches([waiting], people).map((each) => each.code)).toEqual(['LATE_SUBMISSION', 'NOT_APPROVED']);
  });

  const booking = (changes: Partial<PolicyBooking> = {}): PolicyBooking => ({
    personId: 'P-1',
    kind: 'project',
    firm: true,
    startDate: '2026-03-02',
    endDate: '2026-03-15',
    ...changes,
  });
  const missing = (bookings: PolicyBooking[], entries: TimeEntry[] = [], term = { from: '2026-02-01', to: '2026-09-30' }): string[] =>
    missingWeeks(entries, bookings, people, term).map((each) => each.reference);

  test('every booked week wants an entry', () => {
    expect(missing([booking()])).toEqual(['P-1/2026-03-02', 'P-1/2026-03-09']);
    expect(missing([booking()], [entry({ workDate: '2026-03-15' })])).toEqual(['P-1/2026-03-02']);
  });

  test.each<[string, PolicyBooking[], string[]]>([
    ['a proposed booking', [booking({ firm: false })], []],
    ['a week of leave', [booking(), booking({ kind: 'absence', startDate: '2026-03-09', endDate: '2026-03-13' })], ['P-1/2026-03-02']],
    ['leave that is not granted', [booking(), booking({ kind: 'absence', firm: false })], ['P-1/2026-03-02', 'P-1/2026-03-09']],
    [
      'leave of all but one day',
      [booking(), booking({ kind: 'absence', startDate: '2026-03-02', endDate: '2026-03-12' })],
      ['P-1/2026-03-09'],
    ],
    ['a booking of a weekend', [booking({ startDate: '2026-03-07', endDate: '2026-03-08' })], []],
    ['a booking of a holiday', [booking({ startDate: '2026-02-16', endDate: '2026-02-16' })], []],
  ])('%s', (_, bookings, expected) => {
    expect(missing(bookings)).toEqual(expected);
  });

  test('only days of the term count', () => {
    expect(missing([booking()], [], { from: '2026-03-07', to: '2026-03-09' })).toEqual(['P-1/2026-03-09']);
  });
});
