import { Temporal } from '@js-temporal/polyfill';
import fc from 'fast-check';
import {
  addDays,
  addMonths,
  daysBetween,
  daysInMonth,
  firstOfMonth,
  isLocalDate,
  isMonth,
  lastOfMonth,
  monthOf,
  monthsBetween,
  nextMonth,
  weekdayOf,
  type Weekday,
} from '../../domain/calendar/dates';
import {
  firstWorkingDayAfter,
  firstWorkingDayOnOrAfter,
  isWorkingDay,
  nthWorkingDayAfter,
  type WorkingCalendar,
} from '../../domain/calendar/working-day';
import { addWorkingMinutes, calendarWithoutTime, workingMinutesBetween } from '../../domain/calendar/working-time';
import {
  atTime,
  compareInstants,
  endOfDay,
  epochMs,
  fromEpochMs,
  isInstant,
  isTimeZone,
  localDateOf,
  startOfDay,
} from '../../domain/calendar/zone';

const MONDAY_TO_FRIDAY: Weekday[] = ['MO', 'TU', 'WE', 'TH', 'FR'];
const calendarOf = (changes: Partial<WorkingCalendar> = {}): WorkingCalendar => ({
  calendarId: 'CAL-TEST',
  timeZone: 'America/New_York',
  workingWeekdays: MONDAY_TO_FRIDAY,
  dayStart: '09:00',
  dayEnd: '17:30',
  hoursPerDay: '8',
  holidays: [],
  ...changes,
});

const anyDate = fc.integer({ min: -20_000, max: 60_000 }).map((days) => addDays('1970-01-01', days));
const anyMonth = anyDate.map(monthOf);
const anyZone = fc.constantFrom(
  'America/New_York',
  'Europe/Berlin',
  'Asia/Singapore',
  'Asia/Tokyo',
  'Australia/Lord_Howe',
  'America/Sao_Paulo',
  'Pacific/Apia',
  'Africa/Cairo',
  'Asia/Kathmandu',
  'UTC',
);

describe('dates and months', () => {
  test.each(['2026-02-29', '2026-13-01', '2026-00-10', '2026-04-31', '2026-1-01', '26-01-01', '2026-01-01T00:00', '', 'x', null, 20260101])(
    '%j is no date',
    (text) => {
      expect(isLocalDate(text)).toBe(false);
    },
  );

  test.each(['2026-13', '2026-00', '2026', '2026-1', '2026-01-01', null])('%j is no month', (text) => expect(isMonth(text)).toBe(false));

  test('malformed input is a bug', () => {
    expect(() => addDays('2026-02-30', 1)).toThrow(RangeError);
    expect(() => addDays('2026-02-28', 0.5)).toThrow(RangeError);
    expect(() => addMonths('2026-13', 1)).toThrow(RangeError);
    expect(() => addDays('9999-12-31', 1)).toThrow(RangeError);
  });

  test('examples over leap years and year ends', () => {
    expect([addDays('2028-02-28', 1), addDays('2026-12-31', 1), addDays('2026-03-01', -1)]).toEqual([
      '2028-02-29',
      '2027-01-01',
      '2026-02-28',
    ]);
    expect([daysBetween('2026-01-31', '2026-03-01'), daysBetween('2026-03-01', '2026-01-31')]).toEqual([29, -29]);
    expect([monthOf('2026-07-31'), nextMonth('2026-12'), addMonths('2026-01', -1), addMonths('2026-01', 25)]).toEqual([
      '2026-07',
      '2027-01',
      '2025-12',
      '2028-02',
    ]);
    expect([firstOfMonth('2026-02'), lastOfMonth('2026-02'), lastOfMonth('2028-02'), daysInMonth('2026-04')]).toEqual([
      '2026-02-01',
      '2026-02-28',
      '2028-02-29',
      30,
    ]);
    expect(monthsBetween('2026-11', '2027-02')).toEqual(['2026-11', '2026-12', '2027-01', '2027-02']);
    expect([monthsBetween('2026-05', '2026-05'), monthsBetween('2026-05', '2026-04')]).toEqual([['2026-05'], []]);
    expect([weekdayOf('2026-01-22'), weekdayOf('2026-07-04')]).toEqual(['TH', 'SA']);
  });

  test('agree with Temporal on every date', () => {
    const weekdays: Weekday[] = ['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU'];
    fc.assert(
      fc.property(anyDate, anyDate, fc.integer({ min: -5000, max: 5000 }), (a, b, n) => {
        const [first, second] = [Temporal.PlainDate.from(a), Temporal.PlainDate.from(b)];
        expect(addDays(a, n)).toBe(first.add({ days: n }).toString());
        expect(daysBetween(a, b)).toBe(first.until(second, { largestUnit: 'day' }).days);
        expect(weekdayOf(a)).toBe(weekdays[first.dayOfWeek - 1]);
        expect(daysInMonth(monthOf(a))).toBe(first.daysInMonth);
        expect(addMonths(monthOf(a), n)).toBe(first.toPlainYearMonth().add({ months: n }).toString());
      }),
    );
  });

  test('a list of months has no gap and no repetition', () => {
    fc.assert(
      fc.property(anyMonth, fc.integer({ min: 0, max: 60 }), (month, n) => {
        expect(monthsBetween(month, addMonths(month, n))).toEqual(Array.from({ length: n + 1 }, (_, index) => addMonths(month, index)));
      }),
    );
  });
});

describe('instants and time zones', () => {
  test.each([
    ['2026-03-08', '00:00', 'America/New_York', '2026-03-08T05:00:00.000Z'],
    ['2026-03-08', '02:30', 'America/New_York', '2026-03-08T07:30:00.000Z'], // skipped: 03:30 EDT
    ['2026-03-08', '09:00', 'America/New_York', '2026-03-08T13:00:00.000Z'],
    ['2026-11-01', '01:30', 'America/New_York', '2026-11-01T05:30:00.000Z'], // twice: the first, EDT
    ['2026-03-29', '24:00', 'Europe/Berlin', '2026-03-29T22:00:00.000Z'],
    ['2026-05-01', '00:00', 'Asia/Tokyo', '2026-04-30T15:00:00.000Z'],
  ])('%s %s in %s is %s', (date, time, zone, expected) => expect(atTime(date, time, zone)).toBe(expected));

  test.each(['9:00', '25:00', '12:60', '', '12:00:00'])('%j is no time of day', (time) =>
    expect(() => atTime('2026-01-01', time, 'UTC')).toThrow(RangeError),
  );

  test('a day that begins after a clock change at midnight begins with its first moment', () => {
    expect(startOfDay('2018-11-04', 'America/Sao_Paulo')).toBe('2018-11-04T03:00:00.000Z');
    expect(localDateOf('2018-11-04T02:59:59.999Z', 'America/Sao_Paulo')).toBe('2018-11-03');
  });

  test('a local date is that of the wall clock', () => {
    expect(localDateOf('2026-05-01T03:59:59Z', 'America/New_York')).toBe('2026-04-30');
    expect(localDateOf('2026-05-01T04:00:00Z', 'America/New_York')).toBe('2026-05-01');
    expect(localDateOf('2026-04-30T15:00:00.000Z', 'Asia/Tokyo')).toBe('2026-05-01');
  });

  test('every moment of a day lies in it, from its start until its end', () => {
    const modernDate = fc.integer({ min: 12_000, max: 25_000 }).map((days) => addDays('1970-01-01', days));
    fc.assert(
      fc.property(modernDate, anyZone, fc.nat(90_000_000), (date, zone, offset) => {
        const [start, end] = [epochMs(startOfDay(date, zone)), epochMs(endOfDay(date, zone))];
        fc.pre(start < end); // a zone may skip a whole date
        expect(localDateOf(fromEpochMs(start + (offset % (end - start))), zone)).toBe(date);
        expect(localDateOf(fromEpochMs(end), zone) > date).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  test('recognises time zones and instants', () => {
    expect(['Europe/Paris', 'UTC', 'Mars/Olympus', '', 7].map(isTimeZone)).toEqual([true, true, false, false, false]);
    expect(
      [
        '2026-01-22T15:00:00Z',
        '2026-01-22T15:00:00.123Z',
        '2026-01-22T15:00:00+01:00',
        '2026-02-30T00:00:00Z',
        '2026-01-22T25:00:00Z',
        '2026-01-22',
        0,
      ].map(isInstant),
    ).toEqual([true, true, false, false, false, false, false]);
    expect(() => epochMs('yesterday')).toThrow(RangeError);
    expect([
      compareInstants('2026-01-22T15:00:00Z', '2026-01-22T15:00:00.000Z'),
      compareInstants('2026-01-22T15:00:00.001Z', '2026-01-22T15:00:00Z'),
    ]).toEqual([0, 1]);
    expect(compareInstants('2026-01-22T15:00:00.999Z', '2026-01-22T15:00:01Z')).toBe(-1);
  });
});

describe('working days', () => {
  const calendar = calendarOf({ holidays: ['2026-07-03', '2026-07-06'] });

  test.each([
    ['2026-07-01', '2026-07-01', '2026-07-02'],
    ['2026-07-02', '2026-07-02', '2026-07-07'],
    ['2026-07-03', '2026-07-07', '2026-07-07'],
    ['2026-07-05', '2026-07-07', '2026-07-07'],
  ])('from %s: on or after %s, after %s', (date, onOrAfter, after) => {
    expect(firstWorkingDayOnOrAfter(calendar, date)).toBe(onOrAfter);
    expect(firstWorkingDayAfter(calendar, date)).toBe(after);
  });

  test('the n-th working day after a date', () => {
    expect([0, 1, 2, 3, 10].map((n) => nthWorkingDayAfter(calendar, '2026-07-01', n))).toEqual([
      '2026-07-01',
      '2026-07-02',
      '2026-07-07',
      '2026-07-08',
      '2026-07-17',
    ]);
    expect(nthWorkingDayAfter(calendar, '2026-07-04', 1)).toBe('2026-07-07');
    expect(() => nthWorkingDayAfter(calendar, '2026-07-01', -1)).toThrow(RangeError);
  });

  test('Saturday counts where the calendar says so', () => {
    expect(isWorkingDay(calendarOf({ workingWeekdays: ['SU', 'MO', 'TU', 'WE', 'TH'] }), '2026-07-05')).toBe(true);
  });

  test('a calendar without working days is refused and does not loop', () => {
    const never = calendarOf({ workingWeekdays: [] });
    const onlyHolidays = calendarOf({ holidays: Array.from({ length: 500 }, (_, index) => addDays('2026-01-01', index)) });
    for (const refused of [
      firstWorkingDayOnOrAfter(never, '2026-01-01'),
      firstWorkingDayAfter(onlyHolidays, '2026-01-01'),
      nthWorkingDayAfter(never, '2026-01-01', 3),
      addWorkingMinutes(never, '2026-01-01T00:00:00Z', 1),
      addWorkingMinutes(onlyHolidays, '2026-01-01T12:00:00Z', 1),
      workingMinutesBetween(never, '2026-01-01T00:00:00Z', '2026-02-01T00:00:00Z'),
    ])
      expect(refused).toMatchObject({ violation: 'CalendarWithoutWorkingDay' });
  });

  test('the n-th working day has exactly n working days before and at it', () => {
    fc.assert(
      fc.property(anyDate, fc.integer({ min: 1, max: 40 }), (date, n) => {
        const found = nthWorkingDayAfter(calendar, date, n) as string;
        const between = Array.from({ length: daysBetween(date, found) }, (_, index) => addDays(date, index + 1));
        expect([between.filter((day) => isWorkingDay(calendar, day)).length, isWorkingDay(calendar, found)]).toEqual([n, true]);
      }),
    );
  });
});

describe('working time', () => {
  test.each([
    ['2026-01-22T15:00:00Z', 60, '2026-01-22T16:00:00.000Z'],
    ['2026-01-22T15:00:30.500Z', 60, '2026-01-22T16:00:30.500Z'],
    ['2026-01-22T03:00:00Z', 60, '2026-01-22T15:00:00.000Z'], // before the day begins
    ['2026-01-22T22:00:00Z', 30, '2026-01-22T22:30:00.000Z'], // a full day ends in the evening
    ['2026-01-22T22:00:00Z', 31, '2026-01-23T14:01:00.000Z'],
    ['2026-01-23T22:00:00Z', 60, '2026-01-26T14:30:00.000Z'], // over the weekend
    ['2026-03-06T22:00:00Z', 60, '2026-03-09T13:30:00.000Z'], // and the change to summer time
    ['2026-01-24T12:00:00Z', 0, '2026-01-24T12:00:00.000Z'],
  ])('from %s, %d minutes end at %s', (from, minutes, expected) => expect(addWorkingMinutes(calendarOf(), from, minutes)).toBe(expected));

  test('holidays do not count', () => {
    expect(addWorkingMinutes(calendarOf({ holidays: ['2026-01-26'] }), '2026-01-23T22:00:00Z', 60)).toBe('2026-01-27T14:30:00.000Z');
  });

  test.each([
    ['2026-01-22T14:00:00Z', '2026-01-22T22:30:00Z', 510],
    ['2026-01-22T00:00:00Z', '2026-01-29T00:00:00Z', 5 * 510],
    ['2026-01-24T00:00:00Z', '2026-01-26T05:00:00Z', 0],
    ['2026-01-22T15:00:59Z', '2026-01-22T15:01:58Z', 0],
    ['2026-01-22T16:00:00Z', '2026-01-22T15:00:00Z', -60],
  ])('from %s to %s pass %d minutes', (from, to, minutes) => expect(workingMinutesBetween(calendarOf(), from, to)).toBe(minutes));

  test('a night shift over a clock change is an hour shorter or longer', () => {
    const nights = calendarOf({ workingWeekdays: ['SU'], dayStart: '00:00', dayEnd: '06:00' });
    expect(workingMinutesBetween(nights, '2026-03-08T00:00:00Z', '2026-03-09T00:00:00Z')).toBe(300);
    expect(workingMinutesBetween(nights, '2026-11-01T00:00:00Z', '2026-11-02T00:00:00Z')).toBe(420);
  });

  test('a date that a zone skipped holds no working time', () => {
    const apia = calendarOf({ timeZone: 'Pacific/Apia', workingWeekdays: [...MONDAY_TO_FRIDAY, 'SA'] });
    expect(workingMinutesBetween(apia, startOfDay('2011-12-29', 'Pacific/Apia'), endOfDay('2011-12-31', 'Pacific/Apia'))).toBe(2 * 510);
  });

  test.each([
    [{ workingWeekdays: [] }, 'CalendarWithoutWorkingDay'],
    [{ dayEnd: '09:00' }, 'CalendarWithoutWorkingTime'],
    [{ dayStart: '18:00', dayEnd: '06:00' }, 'CalendarWithoutWorkingTime'],
    [{ timeZone: 'Mars/Olympus' }, 'TimeZoneUnknown'],
  ] as const)('refuses a calendar with %j', (changes, violation) => {
    expect(calendarWithoutTime(calendarOf(changes))).toMatchObject({ violation });
    expect(addWorkingMinutes(calendarOf(changes), '2026-01-22T15:00:00Z', 5)).toMatchObject({ violation });
  });

  test('a negative or broken count is a bug', () => {
    expect(() => addWorkingMinutes(calendarOf(), '2026-01-22T15:00:00Z', -1)).toThrow(RangeError);
    expect(() => addWorkingMinutes(calendarOf(), '2026-01-22T15:00:00Z', 1.5)).toThrow(RangeError);
  });

  const anyCalendar = fc
    .record({
      timeZone: anyZone,
      workingWeekdays: fc.subarray<Weekday>(['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU'], { minLength: 1 }),
      hours: fc.constantFrom(['00:00', '24:00'], ['09:00', '17:30'], ['00:00', '06:00'], ['01:30', '03:15'], ['22:00', '24:00']),
      holidays: fc.uniqueArray(
        fc.integer({ min: 0, max: 400 }).map((days) => addDays('2026-01-01', days)),
        { maxLength: 20 },
      ),
    })
    .map(({ timeZone, workingWeekdays, hours: [dayStart = '', dayEnd = ''], holidays }) =>
      calendarOf({ timeZone, workingWeekdays, dayStart, dayEnd, holidays }),
    );
  const anyInstant = fc.integer({ min: Date.UTC(2026, 0, 1), max: Date.UTC(2027, 0, 1) }).map(fromEpochMs);

  test('adding working minutes and counting them are inverse, whatever the zone, and the count moves with time', () => {
    fc.assert(
      fc.property(anyCalendar, anyInstant, fc.integer({ min: 0, max: 6000 }), (calendar, from, minutes) => {
        const to = addWorkingMinutes(calendar, from, minutes) as string;
        expect(workingMinutesBetween(calendar, from, to)).toBe(minutes);
        expect(compareInstants(to, from)).toBe(minutes === 0 ? 0 : 1);
        if (minutes > 0) expect(workingMinutesBetween(calendar, from, fromEpochMs(epochMs(to) - 1))).toBe(minutes - 1); // the first such moment
        expect(workingMinutesBetween(calendar, to, from)).toBe(minutes === 0 ? 0 : -minutes);
      }),
      { numRuns: 80 },
    );
  });

  test('minutes add up: first some, then the rest', () => {
    fc.assert(
      fc.property(
        anyCalendar,
        anyInstant,
        fc.integer({ min: 0, max: 3000 }),
        fc.integer({ min: 1, max: 3000 }),
        (calendar, from, first, second) => {
          const half = addWorkingMinutes(calendar, from, first) as string;
          expect(addWorkingMinutes(calendar, half, second)).toBe(addWorkingMinutes(calendar, from, first + second));
        },
      ),
      { numRuns: 60 },
    );
  });
});
