import fc from 'fast-check';
import { type WorkingCalendar } from '../../domain/calendar/working-day';
import { workingMinutesBetween } from '../../domain/calendar/working-time';
import { workingMinutesOn, workingTimeline, type WorkingTimeline } from '../../domain/calendar/working-timeline';
import { epochMs, fromEpochMs } from '../../domain/calendar/zone';
import { sharePercent, spreadOf } from '../../domain/process/figures';
import { isViolation } from '../../domain/violation';

const calendarOf = (changes: Partial<WorkingCalendar> = {}): WorkingCalendar => ({
  calendarId: 'CAL-TEST',
  timeZone: 'America/New_York',
  workingWeekdays: ['MO', 'TU', 'WE', 'TH', 'FR'],
  dayStart: '09:00',
  dayEnd: '17:30',
  hoursPerDay: '8',
  holidays: [],
  ...changes,
});

function timelineOf(calendar: WorkingCalendar, from: string, to: string): WorkingTimeline {
  const timeline = workingTimeline(calendar, from, to);
  if (isViolation(timeline)) throw new Error(timeline.violation);
  return timeline;
}

describe('a timeline of working time', () => {
  const march = timelineOf(calendarOf({ holidays: ['2026-03-17'] }), '2026-03-01T00:00:00.000Z', '2026-04-01T00:00:00.000Z');

  test.each([
    ['over a weekend on which clocks go forward', '2026-03-06T21:00:00.000Z', '2026-03-09T14:00:00.000Z', 150],
    ['over a holiday', '2026-03-16T21:00:00.000Z', '2026-03-18T14:00:00.000Z', 90],
    ['inside one day, seconds left out', '2026-03-10T14:00:00.000Z', '2026-03-10T14:45:59.999Z', 45],
    ['at night', '2026-03-10T22:00:00.000Z', '2026-03-11T12:00:00.000Z', 0],
    ['from a moment to itself', '2026-03-10T14:00:00.000Z', '2026-03-10T14:00:00.000Z', 0],
    ['up to the end of a day', '2026-03-10T21:29:00.000Z', '2026-03-10T21:30:00.000Z', 1],
  ])('counts whole minutes %s', (_, from, to, minutes) => {
    expect(workingMinutesOn(march, epochMs(from), epochMs(to))).toBe(minutes);
  });

  test('says what the walk over the days says, in any zone, also where a clock change lies in working time (R-250)', () => {
    const zones = ['America/New_York', 'Europe/Berlin', 'Asia/Tokyo', 'Pacific/Apia', 'Australia/Lord_Howe', 'UTC'];
    const [first, last] = [epochMs('2026-01-01T00:00:00.000Z'), epochMs('2026-12-31T00:00:00.000Z')];
    const timelines = zones.map((timeZone) => {
      const calendar = calendarOf({
        timeZone,
        dayStart: '00:00',
        dayEnd: '24:00',
        workingWeekdays: ['MO', 'SU', 'TH'],
        holidays: ['2026-05-14'],
      });
      return { calendar, timeline: timelineOf(calendar, fromEpochMs(first), fromEpochMs(last)) };
    });
    const moment = fc.integer({ min: first, max: last });
    fc.assert(
      fc.property(fc.constantFrom(...timelines), moment, moment, ({ calendar, timeline }, a, b) => {
        const [from, to] = a <= b ? [a, b] : [b, a];
        expect(workingMinutesOn(timeline, from, to)).toBe(workingMinutesBetween(calendar, fromEpochMs(from), fromEpochMs(to)));
      }),
      { numRuns: 300 },
    );
  });

  test('refuses a calendar without working time; what lies beyond it, or ends before it begins, is a bug', () => {
    const [from, to] = ['2026-03-01T00:00:00.000Z', '2026-03-02T00:00:00.000Z'];
    expect(workingTimeline(calendarOf({ workingWeekdays: [] }), from, to)).toMatchObject({ violation: 'CalendarWithoutWorkingDay' });
    expect(() => workingMinutesOn(march, epochMs('2026-02-28T00:00:00.000Z'), epochMs(to))).toThrow(RangeError);
    expect(() => workingMinutesOn(march, epochMs(from), epochMs('2026-04-02T00:00:00.000Z'))).toThrow(RangeError);
    expect(() => workingMinutesOn(march, epochMs(to), epochMs(from))).toThrow(RangeError);
  });
});

describe('figures of a process', () => {
  test.each([
    [[], null],
    [[7], { p50: 7, p90: 7, longest: 7 }],
    [[20, 10], { p50: 10, p90: 20, longest: 20 }],
    [[30, 10, 20], { p50: 20, p90: 30, longest: 30 }],
    [[1, 2, 3, 4, 5, 6, 7, 8, 9, 10], { p50: 5, p90: 9, longest: 10 }],
    [[100, 9, 9], { p50: 9, p90: 100, longest: 100 }],
  ])('the spread of %j is %j: percentiles are durations that occurred (R-251)', (minutes, spread) => {
    expect(spreadOf(minutes)).toEqual(spread);
  });

  test.each([
    [0, 0, null],
    [0, 3, '0'],
    [3, 3, '100'],
    [1, 3, '33.33'],
    [2, 3, '66.67'],
    [1, 8, '12.5'],
    [1, 800, '0.13'],
  ])('%d of %d are %s percent', (part, whole, percent) => {
    expect(sharePercent(part, whole)).toBe(percent);
  });
});
